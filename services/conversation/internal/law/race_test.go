//go:build race

package law_test

// What the race detector looks for shows in a few histories.
func init() { histories = "15" }
