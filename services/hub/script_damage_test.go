package main

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdDamage harms the longest partition of the event log while no hub runs, as a
// failing disk does:
//
//	damage cut         its file ends in the middle
//	damage overwrite   16 bytes in the middle are others
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || the(ts).hub != nil {
		ts.Fatalf("usage: damage cut|overwrite, while no hub runs")
	}
	files, err := filepath.Glob(filepath.Join(ts.Getenv("DATA"), "nats", "jetstream", "$G", "streams", "EVT-*", "msgs", "*.blk"))
	ts.Check(err)
	longest, size := "", int64(0)
	for _, f := range files {
		info, err := os.Stat(f)
		ts.Check(err)
		if info.Size() > size {
			longest, size = f, info.Size()
		}
	}
	if longest == "" {
		ts.Fatalf("damage: no partition of the event log has a file")
	}
	switch args[0] {
	case "cut":
		ts.Check(os.Truncate(longest, size/2))
	case "overwrite":
		f, err := os.OpenFile(longest, os.O_WRONLY, 0)
		ts.Check(err)
		_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, 16), size/2)
		ts.Check(err)
		ts.Check(f.Close())
	default:
		ts.Fatalf("damage: %q is not cut or overwrite", args[0])
	}
}
