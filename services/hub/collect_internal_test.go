package main

import "testing"

func TestGarbageIsBounded(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: 300, 20 << 20: 300, 128 << 20: 150, 192 << 20: 100, 4 << 30: 50} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d MB live: %d, want %d", live>>20, got, want)
		}
	}
}

// Collecting that stays busy is given more room, as much as there is memory for,
// and gives it back when it is not.
func TestBusyCollectingGetsRoom(t *testing.T) {
	t.Parallel()
	const live = 800 << 20
	c := gcPacer{memory: 16 << 30}
	after := func(seconds int, share float64) (got int) {
		for range seconds / 2 {
			got = c.next(live, share)
		}
		return got
	}
	if got := after(6, 0.3); got != 50 {
		t.Errorf("a moment: %d, want 50", got)
	}
	if got := after(60, 0.3); got != 256 { // 2 GB of 16
		t.Errorf("a minute: %d, want 256", got)
	}
	if got := after(120, 0.05); got != 256 {
		t.Errorf("neither busy nor quiet: %d, want 256", got)
	}
	if got := after(120, 0.01); got != 50 {
		t.Errorf("quiet again: %d, want 50", got)
	}
	for memory, want := range map[uint64]int{0: 50, 1 << 30: 50, 8 << 30: 128} {
		c = gcPacer{memory: memory}
		if got := after(60, 0.3); got != want {
			t.Errorf("of %d MB of memory: %d, want %d", memory>>20, got, want)
		}
	}
	c = gcPacer{memory: 64 << 30}
	if got := after(60, 0.3); got != gcMost {
		t.Errorf("never more than %d: %d", gcMost, got)
	}
}
