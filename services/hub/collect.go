package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// gcMost is GOGC while little lives: much is made in a hub, and at 100 a tenth
	// of its CPU went to collecting, for a few dozen MB less.
	gcMost = 300
	// gcLeast is GOGC when much lives, as with thousands of open sockets.
	gcLeast = 50
	// garbage is about how many bytes may lie around in between.
	garbage = 192 << 20
)

// gcPercent is GOGC for so many living bytes.
func gcPercent(live uint64) int {
	if live == 0 {
		return gcMost
	}
	return int(min(max(garbage*100/live, gcLeast), gcMost))
}

// paceCollector bounds garbage instead of letting it grow with what lives. It
// runs as long as the process, where nobody has set GOGC.
func paceCollector() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	last := gcMost
	debug.SetGCPercent(last)
	for range time.Tick(2 * time.Second) {
		metrics.Read(live)
		if live[0].Value.Kind() != metrics.KindUint64 {
			return
		}
		if p := gcPercent(live[0].Value.Uint64()); p != last {
			last = p
			debug.SetGCPercent(p)
		}
	}
}
