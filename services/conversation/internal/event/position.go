package event

import (
	"fmt"
	"time"
)

// Position is the place of one event for everybody who shows it: it sorts as a
// string, in one customer exactly as the stream does, and over customers by
// time. index counts the events of the commit from 0. Fixed width: 13 + 12 + 3 hex digits.
func Position(recordedAt time.Time, seq uint64, index int) string {
	return fmt.Sprintf("%013x%012x%03x", max(0, recordedAt.UnixMicro()), seq, index)
}
