package hubtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"syscall"
)

// Process is a running hub.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}

	board
	out  bytes.Buffer
	url  string
	gone bool
	err  error
}

var readyLine = regexp.MustCompile(`(?:Weftline is ready|It listens on): (http://\S+)`)

// Launch starts a hub and does not wait. log gets its standard error.
func Launch(bin string, args, env []string, log io.Writer) (*Process, error) {
	p := &Process{cmd: exec.Command(bin, args...), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, printed{p}, log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start hub: %w", err)
	}
	go func() {
		defer close(p.done)
		err := p.cmd.Wait()
		p.change(func() { p.gone, p.err = true, err })
	}()
	return p, nil
}

type printed struct{ p *Process }

func (w printed) Write(b []byte) (int, error) {
	w.p.change(func() {
		w.p.out.Write(b)
		if m := readyLine.FindSubmatch(w.p.out.Bytes()); m != nil {
			w.p.url = string(m[1])
		}
	})
	return len(b), nil
}

// Ready waits until the hub says where it is.
func (p *Process) Ready(ctx context.Context) (url string, err error) {
	p.wait(ctx.Done(), func() bool { return p.url != "" || p.gone })
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.url != "":
		return p.url, nil
	case p.gone:
		return "", fmt.Errorf("the hub ended before it was ready: %w", p.err)
	}
	return "", errors.New("the hub is not ready in time")
}

// Kill ends the hub as a power cut of its process would, and waits.
func (p *Process) Kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// Stop asks the hub to end and waits. nil: it ended with exit code 0.
func (p *Process) Stop(ctx context.Context) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		p.Kill()
		return errors.New("the hub did not stop in time")
	}
}

// Ended waits until the hub has ended, by whatever.
func (p *Process) Ended(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.Kill()
		return errors.New("the hub goes on")
	}
}
