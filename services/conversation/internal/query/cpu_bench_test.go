//go:build unix

package query_test

import (
	"syscall"
	"testing"
	"time"
)

// cpu is what this process has used so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// metered reports the CPU time of a call, which says more than the time on the
// clock of a machine that is busy. before runs ahead of each and is not counted.
func metered(b *testing.B, before, call func()) {
	b.Helper()
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		before()
		b.StartTimer()
		begun := cpu(b)
		call()
		used += cpu(b) - begun
	}
	b.ReportMetric(float64(used.Microseconds())/1e3/float64(b.N), "cpu-ms/page")
}
