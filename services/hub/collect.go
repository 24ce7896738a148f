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

	// A hub that catches up with a long log has much that lives and makes garbage
	// all the time: collecting took a third of its CPU. Where it takes more than
	// gcBusy of the machine for a while, more garbage may lie around, up to a part
	// of the memory there is; below gcQuiet it is taken back.
	gcBusy, gcQuiet = 0.10, 0.02
	gcMemory        = 8
)

// gcPercent is GOGC for so many living bytes.
func gcPercent(live uint64) int {
	if live == 0 {
		return gcMost
	}
	return int(min(max(garbage*100/live, gcLeast), gcMost))
}

// gcPacer decides on GOGC from how much lives and how busy collecting is.
type gcPacer struct {
	memory uint64  // of the machine, in bytes; 0: not known, then garbage stays bounded
	share  float64 // of the machine's CPU that collecting takes, over some 20 seconds
	more   float64 // factor on what bounds garbage, from 1
}

// next is GOGC for the next two seconds.
func (c *gcPacer) next(live uint64, share float64) int {
	c.share += (share - c.share) / 10
	switch {
	case c.share > gcBusy:
		c.more = min(max(c.more, 1)*1.25, gcMost/gcLeast)
	case c.share < gcQuiet:
		c.more = max(c.more/1.25, 1)
	}
	least := gcPercent(live)
	if live == 0 {
		return least
	}
	room := int(min(c.memory/gcMemory*100/live, gcMost))
	return max(min(int(float64(least)*max(c.more, 1)), room), least)
}

// paceCollector bounds garbage instead of letting it grow with what lives. It
// runs as long as the process, where nobody has set GOGC.
func paceCollector() {
	const live, collecting, idly, all = 0, 1, 2, 3
	s := []metrics.Sample{
		live: {Name: "/gc/heap/live:bytes"}, collecting: {Name: "/cpu/classes/gc/total:cpu-seconds"},
		idly: {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"}, all: {Name: "/cpu/classes/total:cpu-seconds"},
	}
	c := &gcPacer{memory: machineMemory()}
	last := gcMost
	debug.SetGCPercent(last)
	var spent, there float64
	for range time.Tick(2 * time.Second) {
		metrics.Read(s)
		for _, m := range s {
			if m.Value.Kind() == metrics.KindBad {
				return
			}
		}
		gc, cpu := s[collecting].Value.Float64()-s[idly].Value.Float64(), s[all].Value.Float64()
		share := 0.0
		if cpu > there { // the runtime counts at the end of a collection
			share = (gc - spent) / (cpu - there)
		}
		spent, there = gc, cpu
		if p := c.next(s[live].Value.Uint64(), share); p != last {
			last = p
			debug.SetGCPercent(p)
		}
	}
}
