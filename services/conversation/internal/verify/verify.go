// Package verify checks a hub's log and read models against the laws: it folds
// every stream, and rebuilds the documents elsewhere to compare them.
package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Deps are what a check works with.
type Deps struct {
	Events eventstore.Store
	Keys   readmodel.Keys
	Decode readmodel.Decoder
	// Live are the read models to compare. Projection is held (reads go on)
	// while they are read. Nil: only the log is checked.
	Live *readmodel.Live
	// Scratch is an empty store to rebuild in, dropped by the caller.
	Scratch docstore.Store
}

// Offence is a broken law and where.
type Offence struct {
	Law       string // "once", "order", "ownership", "reply", "ghost", "delivery", "erasure", "rebuild"
	Stream    string
	Partition int
	Seq       uint64
	Detail    string // ids only
}

func (o Offence) String() string {
	return fmt.Sprintf("%s: %s (stream %s, partition %d, sequence %d)", o.Law, o.Detail, o.Stream, o.Partition, o.Seq)
}

// Report says what was looked at and what was found.
type Report struct {
	Streams, Commits, Events, Customers, Handles, Conversations, Messages, Replies int

	Documents int
	Digest    string // of the read models, hex; "" when they were not compared
	Unbuilt   bool   // there were no read models to compare
	Offences  int
	First     *Offence // nil: all is well
	Took      time.Duration
}

// OK says that no law is broken.
func (r Report) OK() bool { return r.First == nil }

func (r *Report) offend(o Offence) {
	if r.First == nil {
		r.First = &o
	}
	r.Offences++
}

const batch = 1000

// Run checks everything. The error says that it could not look, not what it found.
func Run(ctx context.Context, d Deps) (Report, error) {
	begun := time.Now()
	var r Report
	c := newChecker(&r)
	for p := range d.Events.Partitions() {
		head, err := d.Events.Head(ctx, p)
		if err != nil {
			return r, fmt.Errorf("head of partition %d: %w", p, err)
		}
		if err := read(ctx, d, p, head, c); err != nil {
			return r, err
		}
	}
	if err := c.finish(ctx, d); err != nil {
		return r, err
	}
	if d.Live != nil {
		if err := compare(ctx, d, &r); err != nil {
			return r, err
		}
	}
	r.Took = time.Since(begun)
	return r, nil
}

func read(ctx context.Context, d Deps, partition int, head uint64, c *checker) error {
	for next := uint64(1); next <= head; {
		commits, err := d.Events.Read(ctx, partition, next, batch)
		if err != nil {
			return fmt.Errorf("read partition %d from %d: %w", partition, next, err)
		}
		if len(commits) == 0 {
			return nil
		}
		for _, commit := range commits {
			if commit.Seq > head {
				return nil
			}
			decoded, err := d.Decode.Decode(commit)
			if err != nil {
				return err
			}
			c.commit(decoded)
			next = commit.Seq + 1
		}
	}
	return nil
}

// compare takes the digest of what is served at one moment, and of a fresh
// projection of the log up to that moment.
func compare(ctx context.Context, d Deps, r *Report) error {
	var served [sha256.Size]byte
	var upTo []uint64
	err := d.Live.Freeze(func(p *readmodel.Projector) (err error) {
		upTo = p.Vector()
		served, r.Documents, err = readmodel.Digest(ctx, d.Live.Store(), p.Names(), d.Keys)
		return err
	})
	if err != nil {
		return err
	}
	if r.Unbuilt = r.Commits > 0 && slices.Max(upTo) == 0; r.Unbuilt {
		return nil
	}
	fresh, err := readmodel.NewProjector(ctx, d.Scratch, d.Keys, d.Decode, 1, d.Events.Partitions())
	if err != nil {
		return err
	}
	for p, seq := range upTo {
		if err := readmodel.CatchUp(ctx, d.Events, fresh, p, seq, nil); err != nil {
			return err
		}
	}
	rebuilt, n, err := readmodel.Digest(ctx, d.Scratch, fresh.Names(), d.Keys)
	if err != nil {
		return err
	}
	r.Digest = hex.EncodeToString(served[:])
	if rebuilt != served {
		r.offend(Offence{Law: "rebuild", Detail: fmt.Sprintf("%d documents served do not equal %d rebuilt ones", r.Documents, n)})
	}
	return nil
}
