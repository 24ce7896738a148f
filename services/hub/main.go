// Command hub is Weftline: every part in one process, or some of them.
//
//	hub [serve] [flags]     run (default)
//	hub token create        make an API token
//	hub token list, revoke  name them, end one
//	hub config check        say what is wrong with the configuration
//	hub rebuild             build the read models anew, while serving
//	hub verify              fold every stream and check the laws
//	hub accept-loss         go on without the end of the event log that was lost
//	hub backup DIR          copy everything, consistently
//	hub restore DIR         put a backup into an empty data directory
//	hub import FILE         bring in history from elsewhere
//	hub export CUSTOMER…    write everything about customers into one zip
//	hub retention           say what the retention policies would destroy, or destroy it
//	hub poison …            inspect, replay or skip what failed for good
//	hub audit list, verify  who read and changed what; is the record whole
//	hub bench …             measure, side by side with the floor
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it ran and found or met something wrong
	exitUsage  = 2 // wrong flags or configuration: nothing was done
)

func main() {
	// A goroutine in fsync keeps its P until the runtime takes it back; with
	// two of them the process would stand still while the disk works.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(4, 2*runtime.NumCPU()))
	}
	if os.Getenv("GOGC") == "" {
		go paceCollector()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: what tests call.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	cmd, rest := find(args)
	err := cmd.run(ctx, invocation{args: rest, environ: environ, stdout: stdout, stderr: stderr})
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		if usage.text != "" {
			fmt.Fprintln(stderr, "hub: "+usage.text)
		}
		return exitUsage
	case errors.Is(err, errHelp):
		return exitOK
	default:
		fmt.Fprintln(stderr, "hub: "+err.Error())
		return exitFailed
	}
}
