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
