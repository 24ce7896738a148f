// Package poison is for messages that failed for good: look at them, replay
// them after a fix, or skip them with a reason that is kept.
package poison

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// Entry is a message in POISON. Its payload is encrypted and not shown.
type Entry struct {
	Seq       uint64 // names it
	Subject   string // where it came from and where Replay puts it
	Reason    string // the last error
	Attempts  int
	Consumer  string    // the durable consumer that gave up
	Stream    string    // where the original is, or was
	StreamSeq uint64    // "
	At        time.Time // when it was given up
	Size      int       // bytes of payload
	Headers   map[string]string
}

// ErrNotFound: POISON has no such message; it was replayed, skipped, or is too old.
var ErrNotFound = errors.New("no such message in poison")

// Queue reads and empties POISON. Safe for concurrent use.
type Queue struct {
	bus   *natsbus.Bus
	state docstore.Store
	now   func() time.Time
}

// New declares the audit records in state.
func New(ctx context.Context, bus *natsbus.Bus, state docstore.Store) (*Queue, error) {
	if err := state.Declare(ctx, Collection); err != nil {
		return nil, fmt.Errorf("declare poison audit: %w", err)
	}
	return &Queue{bus, state, time.Now}, nil
}

// List returns up to limit (1 to 1000) entries with Seq > after, oldest first.
func (q *Queue) List(ctx context.Context, after uint64, limit int) ([]Entry, error) {
	if limit < 1 || limit > 1000 {
		return nil, fmt.Errorf("list poison: limit is %d, want 1 to 1000", limit)
	}
	s, err := q.bus.JS.Stream(ctx, subject.StreamPoison)
	if err != nil {
		return nil, fmt.Errorf("list poison: %w", err)
	}
	state := s.CachedInfo().State
	if state.Msgs == 0 || after >= state.LastSeq {
		return nil, nil
	}
	c, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1, HeadersOnly: true,
	})
	if err != nil {
		return nil, fmt.Errorf("list poison: %w", err)
	}
	batch, err := c.FetchNoWait(limit)
	if err != nil {
		return nil, fmt.Errorf("list poison: %w", err)
	}
	var all []Entry
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return nil, fmt.Errorf("list poison: %w", err)
		}
		size, _ := strconv.Atoi(m.Headers().Get("Nats-Msg-Size"))
		all = append(all, entry(meta.Sequence.Stream, m.Subject(), m.Headers(), size))
	}
	if err := batch.Error(); err != nil {
		return nil, fmt.Errorf("list poison: %w", err)
	}
	return all, nil
}

// Show returns one entry.
func (q *Queue) Show(ctx context.Context, seq uint64) (Entry, error) {
	_, m, err := q.get(ctx, seq)
	if err != nil {
		return Entry{}, err
	}
	return entry(seq, m.Subject, m.Header, len(m.Data)), nil
}

// Replay puts the message back where it came from, at the end of its lane, and
// takes it out of POISON. It is handled at least once more.
func (q *Queue) Replay(ctx context.Context, seq uint64) error {
	s, m, err := q.get(ctx, seq)
	if err != nil {
		return err
	}
	e := entry(seq, m.Subject, m.Header, len(m.Data))
	back := nats.NewMsg(e.Subject)
	back.Header = natsbus.OwnHeader(m.Header)
	back.Data = m.Data
	if p, ok := strings.CutPrefix(e.Stream, "IN-"); ok {
		back.Header.Set(natsbus.ReplayOf, "in/"+p+"/"+strconv.FormatUint(e.StreamSeq, 10))
	}
	id := m.Header.Get(natsbus.PoisonMsgID) + "/replay/" + strconv.FormatUint(seq, 10)
	if err := q.audit(ctx, ActionReplay, e, ""); err != nil {
		return err
	}
	if _, err := q.bus.JS.PublishMsg(ctx, back, jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("replay message %d of poison: %w", seq, err)
	}
	return remove(ctx, s, seq)
}

// Skip takes the message out of POISON for good and keeps who did so, and why.
func (q *Queue) Skip(ctx context.Context, seq uint64, reason string) error {
	reason = strings.TrimSpace(reason)
	if reason == "" || len(reason) > 500 {
		return fmt.Errorf("skip message %d of poison: reason has %d bytes, want 1 to 500", seq, len(reason))
	}
	s, m, err := q.get(ctx, seq)
	if err != nil {
		return err
	}
	if err := q.audit(ctx, ActionSkip, entry(seq, m.Subject, m.Header, len(m.Data)), reason); err != nil {
		return err
	}
	return remove(ctx, s, seq)
}

func (q *Queue) get(ctx context.Context, seq uint64) (jetstream.Stream, *jetstream.RawStreamMsg, error) {
	s, err := q.bus.JS.Stream(ctx, subject.StreamPoison)
	if err != nil {
		return nil, nil, fmt.Errorf("read poison: %w", err)
	}
	if seq == 0 {
		return nil, nil, fmt.Errorf("message 0: %w", ErrNotFound)
	}
	m, err := s.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil, fmt.Errorf("message %d: %w", seq, ErrNotFound)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read message %d of poison: %w", seq, err)
	}
	return s, m, nil
}

func remove(ctx context.Context, s jetstream.Stream, seq uint64) error {
	if err := s.SecureDeleteMsg(ctx, seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("remove message %d from poison: %w", seq, err)
	}
	return nil
}

func entry(seq uint64, subj string, h nats.Header, size int) Entry {
	e := Entry{
		Seq: seq, Subject: strings.TrimPrefix(subj, "poison."), Size: size,
		Reason: h.Get(natsbus.PoisonReason), Consumer: h.Get(natsbus.PoisonConsumer), Stream: h.Get(natsbus.PoisonStream),
		Headers: make(map[string]string),
	}
	// Headers that someone else wrote badly leave a zero.
	e.Attempts, _ = strconv.Atoi(h.Get(natsbus.PoisonAttempts))
	e.StreamSeq, _ = strconv.ParseUint(h.Get(natsbus.PoisonSeq), 10, 64)
	e.At, _ = time.Parse(time.RFC3339Nano, h.Get(natsbus.PoisonTime))
	for k, v := range natsbus.OwnHeader(h) {
		e.Headers[k] = strings.Join(v, ", ")
	}
	return e
}
