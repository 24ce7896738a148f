package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/docstore"
)

// headerBatch names a message, so that its writer knows it again.
const headerBatch = "Wl-Audit-Batch"

// chain is the end of the stream as this process knows it. For one goroutine.
type chain struct {
	js     jetstream.JetStream
	state  docstore.Store
	tenant string
	log    *slog.Logger

	at  head
	seq uint64 // last of the subject
	// held: the anchor was found in the chain. An anchor that is not there is
	// never moved: it is the only witness.
	held bool
	kept uint64 // the anchor's number
}

func (c *chain) subject() string { return subject.Audit(c.tenant) }

// load finds the end. The anchor is read first: it is never ahead of a stream
// that is whole. Where it is, the entries between were removed, and the chain
// goes on behind them: the gap stays visible for ever.
func (c *chain) load(ctx context.Context) error {
	a, err := readAnchor(ctx, c.state, c.tenant)
	if err != nil {
		return err
	}
	last, err := c.last(ctx)
	if err != nil {
		return err
	}
	c.at, c.seq, c.held, c.kept = head{a.N, a.Hash}, 0, true, a.N
	there := head{}
	if last != nil {
		c.seq = last.Sequence
		if entries, err := open(last.Data); err == nil {
			there = end(entries)
		}
	}
	if there.n >= a.N {
		c.at = there
		c.held = a.N == 0 || c.holds(ctx, a)
	}
	if there.n < a.N || !c.held {
		c.log.ErrorContext(ctx, "the audit log is not what its anchor says: run hub audit verify", "anchor", a.N, "end", there.n)
	}
	return nil
}

// holds says whether the anchor's entry is in the stream.
func (c *chain) holds(ctx context.Context, a Anchor) bool {
	s, err := c.js.Stream(ctx, subject.StreamAudit)
	if err != nil {
		return false
	}
	m, err := s.GetMsg(ctx, a.Seq)
	if err != nil || m.Subject != c.subject() {
		return false
	}
	entries, err := open(m.Data)
	for _, e := range entries {
		if e.N == a.N && e.hash == a.Hash {
			return err == nil
		}
	}
	return false
}

func end(entries []sealed) head {
	e := entries[len(entries)-1]
	return head{e.N, e.hash}
}

// last is the subject's last message, nil when there is none.
func (c *chain) last(ctx context.Context) (*jetstream.RawStreamMsg, error) {
	s, err := c.js.Stream(ctx, subject.StreamAudit)
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", subject.StreamAudit, err)
	}
	m, err := s.GetLastMsgForSubject(ctx, c.subject())
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the end of the audit log: %w", err)
	}
	return m, nil
}

// tries bounds how often somebody else may be faster.
const tries = 100

// append stores entries at the end of the chain; on disk when it returns nil.
func (c *chain) append(ctx context.Context, entries []Entry) error {
	id := rand.Text()
	for range tries {
		data, after, err := seal(c.at, entries)
		if err != nil {
			return err
		}
		m := &nats.Msg{Subject: c.subject(), Data: data, Header: nats.Header{
			headerBatch:                         {id},
			jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(c.seq, 10)},
			jetstream.ExpectedStreamHeader:      {subject.StreamAudit},
		}}
		ack, err := c.js.PublishMsg(ctx, m)
		if err == nil {
			c.at, c.seq = after, ack.Sequence
			return nil
		}
		// Somebody else wrote, or the answer was lost: look what is there.
		mine, lookErr := c.catchUp(ctx, id)
		switch {
		case mine:
			return nil
		case lookErr != nil || !stale(err):
			return fmt.Errorf("append to the audit log: %w", errors.Join(err, lookErr))
		}
	}
	return errors.New("append to the audit log: others were always faster")
}

func stale(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// catchUp reads what was stored meanwhile, and says whether the message with
// the given id is among it.
func (c *chain) catchUp(ctx context.Context, id string) (mine bool, err error) {
	last, err := c.last(ctx)
	if err != nil {
		return false, err
	}
	if last == nil || last.Sequence < c.seq {
		// The end was taken away under us. What we know of it stays our place.
		c.seq = 0
		if last != nil {
			c.seq = last.Sequence
		}
		return false, nil
	}
	s, err := c.js.Stream(ctx, subject.StreamAudit)
	if err != nil {
		return false, fmt.Errorf("look up stream %s: %w", subject.StreamAudit, err)
	}
	for c.seq < last.Sequence {
		m, err := s.GetMsg(ctx, c.seq+1, jetstream.WithGetMsgSubject(c.subject()))
		if err != nil {
			return mine, fmt.Errorf("read the end of the audit log: %w", err)
		}
		c.seq = m.Sequence
		mine = mine || m.Header.Get(headerBatch) == id
		if entries, err := open(m.Data); err == nil {
			c.at = end(entries)
		}
	}
	return mine, nil
}

// anchor notes where the chain ends, unless the last anchor is not in it.
func (c *chain) anchor(ctx context.Context) error {
	if !c.held || c.at.n <= c.kept {
		return nil
	}
	if err := writeAnchor(ctx, c.state, c.tenant, Anchor{N: c.at.n, Hash: c.at.hash, Seq: c.seq}); err != nil {
		return err
	}
	c.kept = c.at.n
	return nil
}
