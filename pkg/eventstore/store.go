// Package eventstore is an append-only log of commits, one stream per
// aggregate, several partitions per log.
//
// A commit is one decision: 1..n records on one stream, stored whole or not at
// all. The sequence of the last commit of a stream is its version and the
// optimistic lock.
package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Record is one event as stored. Data is JSON, never rewritten (insignificant
// white space aside); old versions are read through upcasters.
type Record struct {
	Type string          `json:"t"` // "conversation.message_received"
	V    int             `json:"v"`
	Data json.RawMessage `json:"d"`
}

// Commit is one stored decision. What a store yields is shared: do not change
// its Records.
type Commit struct {
	ID     string `json:"id"` // idempotency key, unique in its stream for ever
	Stream string `json:"-"`  // "customer.<id>", "handle.<hash>", "link.<a>.<b>", "join.<c1>.<c2>"
	Tenant string `json:"-"`

	Partition int    `json:"-"`
	Seq       uint64 `json:"-"` // place in the partition, from 1, grows, gaps allowed
	Prev      uint64 `json:"-"` // Seq of the stream's commit before this one where known, else 0

	// RecordedAt = max(wall, last of this stream + 1 µs, what the author had seen + 1 µs). Microseconds, UTC.
	RecordedAt time.Time `json:"at"`
	Actor      string    `json:"by,omitempty"`  // agent id, "customer", "policy", "system"
	Cause      string    `json:"why,omitempty"` // id of the input or commit that caused it
	Trace      string    `json:"tp,omitempty"`  // W3C traceparent
	Records    []Record  `json:"ev"`
}

// Append asks for one commit. Expect is the Seq of the stream's last commit the
// author decided on, 0 for an empty stream. Tenant and every dot-separated part
// of Stream satisfy subject.ValidToken.
type Append struct {
	Tenant string
	Stream string
	Expect uint64
	Commit Commit // ID, RecordedAt, Actor, Cause, Trace, Records
}

// Result of one Append: exactly one of Seq and Err is set. Duplicate: a commit
// with this ID was found at Seq, stored earlier or by this very call when its
// answer got lost. If others may use the same ID, read back what it says.
type Result struct {
	Partition int
	Seq       uint64
	Duplicate bool
	Err       error
}

// ConflictError: someone else appended to the stream. Reload, decide again.
type ConflictError struct {
	Stream string
	Expect uint64
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("append to %s: expected last sequence %d is stale", e.Stream, e.Expect)
}

// ErrUnknown: it is not known whether the commit was stored (connection lost).
// Repeat the same Append: the commit ID makes it safe.
var ErrUnknown = errors.New("outcome of append unknown")

// ErrUnavailable: the store did not answer a read in time. Nothing is wrong with
// what was asked: ask again.
var ErrUnavailable = errors.New("event store does not answer")

// Store is the log. Safe for concurrent use.
type Store interface {
	// Append stores the commits, each on its own, in order per stream; one
	// result per append. A commit whose ID is the stream's last one, or is found
	// after Expect, is a Duplicate, whatever it expects: repeating an append is
	// safe. An ID used at or before Expect is for the author's state to
	// recognise; the store may store it again.
	//
	// Several appends on one stream in one call are chained: each after the
	// first expects the one before it, its own Expect is not looked at; once one
	// fails, those after it on that stream fail with the same error and are not
	// stored. Durable (fsynced) when it returns.
	Append(ctx context.Context, appends ...Append) []Result
	// Load yields the commits of a stream with Seq > after, oldest first, up to
	// its end at call time or later. An error is the last thing yielded.
	Load(ctx context.Context, tenant, stream string, after uint64) iter.Seq2[Commit, error]
	// Read yields up to limit commits of a partition with Seq ≥ from (batch, no
	// waiting). None means that the partition ends before from; fewer than limit
	// does not.
	Read(ctx context.Context, partition int, from uint64, limit int) ([]Commit, error)
	// Follow yields the commits of a partition with Seq > after, then waits for new ones, until
	// ctx ends (no error then). Any other end yields an error last; follow again
	// after the last Seq seen.
	Follow(ctx context.Context, partition int, after uint64) iter.Seq2[Commit, error]
	// Head is the last Seq of a partition, 0 when empty.
	Head(ctx context.Context, partition int) (uint64, error)
	// Partitions is fixed at creation; PartitionOf says where a stream lives.
	Partitions() int
	PartitionOf(tenant, stream string) int
}

// Snapshot is a folded state at a Seq. Losing one costs time only.
type Snapshot struct {
	Seq   uint64
	State []byte
	V     int // of the state's encoding; another one is ignored
}

// Snapshots keeps the latest snapshot per stream.
type Snapshots interface {
	LoadSnapshot(ctx context.Context, tenant, stream string) (Snapshot, bool, error)
	SaveSnapshot(ctx context.Context, tenant, stream string, s Snapshot) error
}
