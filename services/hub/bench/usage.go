package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// clockTick is the kernel's unit in /proc/<pid>/stat: USER_HZ, which is 100 on every Linux there is.
const clockTick = 10 * time.Millisecond

// cpu is the time the hub has computed so far, in user and kernel mode.
func (c *child) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the hub's CPU time: %w", err)
	}
	// The second field is a name in brackets and may hold spaces; utime and
	// stime are the 12th and 13th behind it (proc(5)).
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 13 {
		return 0, fmt.Errorf("read the hub's CPU time: %d fields", len(f))
	}
	user, err1 := strconv.ParseInt(string(f[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(f[12]), 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("read the hub's CPU time: %q %q", f[11], f[12])
	}
	return time.Duration(user+system) * clockTick, nil
}

// rss is the hub's resident memory, in bytes.
func (c *child) rss() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the hub's memory: %w", err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return 0, fmt.Errorf("read the hub's memory: %w", err)
	}
	return resident * int64(os.Getpagesize()), nil
}

// ownCPU is what this process has computed so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
