package readmodel

import (
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Decoder turns the records of a commit into events, oldest versions through
// upcasters. It must be safe for concurrent use.
type Decoder func(eventstore.Commit) ([]event.Event, error)

// Commit is a decoded commit. Treat it as read-only: it is shared.
type Commit struct {
	eventstore.Commit
	Events []event.Event
}

// Decode decodes one commit.
func (d Decoder) Decode(c eventstore.Commit) (Commit, error) {
	evs, err := d(c)
	if err != nil {
		return Commit{}, fmt.Errorf("decode commit %d of partition %d (%s): %w", c.Seq, c.Partition, c.ID, err)
	}
	return Commit{Commit: c, Events: evs}, nil
}

// Place is where an event stands.
type Place struct {
	Customer  string // "" on a handle's stream
	Handle    string // "" on a customer's stream
	Pair      string // "<a>.<b>" on a link's stream: two customers, the smaller id first
	Join      string // "<c1>.<c2>" on a join's stream: two conversations
	Commit    string
	Partition int
	Seq       uint64
	Index     int // in the commit, from 0
	At        time.Time
	Actor     string
}

// Place tells where the i-th event of the commit stands.
func (c Commit) Place(i int) Place {
	p := Place{Commit: c.ID, Partition: c.Partition, Seq: c.Seq, Index: i, At: c.RecordedAt, Actor: c.Actor}
	kind, id, _ := strings.Cut(c.Stream, ".")
	switch kind {
	case "customer":
		p.Customer = id
	case "handle":
		p.Handle = id
	case "link":
		p.Pair = id
	case "join":
		p.Join = id
	}
	return p
}

// Position sorts entries of a customer as his stream does.
func (p Place) Position() string { return event.Position(p.At, p.Seq, p.Index) }

// Last sorts conversations and customers over all partitions: by time, and
// never two alike, so that a page can continue after it.
func (p Place) Last() string {
	return fmt.Sprintf("%013x%02x%012x%03x", max(0, p.At.UnixMicro()), p.Partition, p.Seq, p.Index)
}

// micro is the documents' form of a time: Unix microseconds, 0 for none.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
