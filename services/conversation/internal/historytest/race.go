//go:build race

package historytest

import "flag"

// Under the race detector SQLite in Go is some fifty times slower. What it
// looks for shows in a few cases; -rapid.checks on the command line still counts.
func init() {
	if f := flag.Lookup("rapid.checks"); f != nil {
		_ = f.Value.Set("10")
	}
}
