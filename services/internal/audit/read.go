package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// Verify goes through the whole chain. It must hold the anchor, and every head
// that was noted elsewhere. It may run while entries are written.
func (l *Log) Verify(ctx context.Context, noted ...Anchor) (Report, error) {
	// The anchor first: it is never ahead of what is read after it.
	a, err := readAnchor(ctx, l.deps.State, l.cfg.Tenant)
	if err != nil {
		return Report{}, err
	}
	v := NewVerifier(append(noted, a)...)
	if err := l.walk(ctx, v.Add); err != nil {
		return Report{}, fmt.Errorf("verify the audit log: %w", err)
	}
	return v.Report(), nil
}

// walk calls fn with every message there is now, oldest first.
func (l *Log) walk(ctx context.Context, fn func(seq uint64, data []byte)) error {
	s, err := l.deps.JS.Stream(ctx, subject.StreamAudit)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", subject.StreamAudit, err)
	}
	subj := subject.Audit(l.cfg.Tenant)
	last, err := s.GetLastMsgForSubject(ctx, subj)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{subj}})
	if err != nil {
		return err
	}
	it, err := c.Messages()
	if err != nil {
		return err
	}
	defer it.Stop()
	for {
		m, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		fn(meta.Sequence.Stream, m.Data())
		if meta.Sequence.Stream >= last.Sequence || meta.NumPending == 0 {
			return nil
		}
	}
}

// Filter chooses entries; what is empty matches all.
type Filter struct {
	Actor        string
	Action       string // a whole action, or a group of them such as "right"
	Customer     string
	Since, Until time.Time // Since ≤ at < Until
}

func (f Filter) matches(e Entry) bool {
	return (f.Actor == "" || f.Actor == e.Actor) &&
		f.action(e.Action) &&
		(f.Customer == "" || f.Customer == e.Customer || e.IDs["other"] == f.Customer) &&
		(f.Since.IsZero() || !e.At.Before(f.Since)) && (f.Until.IsZero() || e.At.Before(f.Until))
}

// Listed is an entry with its number.
type Listed struct {
	N uint64
	Entry
	FromGone bool // there was an address; it is kept no longer
	WhyGone  bool // there was a reason; it went with somebody it may have spoken of
}

// maxScan bounds the messages one List reads.
const maxScan = 5000

// ErrBadToken: a page token that List did not give.
var ErrBadToken = errors.New("page token is not valid")

// List returns up to limit entries, newest first, and the token for those
// before them; "" when there are none. A page may hold fewer than limit, and
// even nothing, though older ones follow: one call reads 5,000 messages at most.
func (l *Log) List(ctx context.Context, f Filter, limit int, token string) ([]Listed, string, error) {
	if limit < 1 || limit > 1000 {
		return nil, "", fmt.Errorf("list audit entries: limit is %d, want 1 to 1000", limit)
	}
	s, err := l.deps.JS.Stream(ctx, subject.StreamAudit)
	if err != nil {
		return nil, "", fmt.Errorf("look up stream %s: %w", subject.StreamAudit, err)
	}
	state := s.CachedInfo().State
	seq, below := state.LastSeq, uint64(0)
	if token != "" {
		if seq, below, err = parseToken(token); err != nil {
			return nil, "", err
		}
	}
	var page []Listed
	for scanned := 0; seq >= max(state.FirstSeq, 1); seq, below = seq-1, 0 {
		if scanned++; scanned > maxScan {
			return page, pageToken(seq, below), nil
		}
		m, err := s.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return nil, "", fmt.Errorf("list audit entries: %w", err)
		}
		if m.Subject != subject.Audit(l.cfg.Tenant) {
			continue
		}
		// What is stored at a time was recorded before it.
		if !f.Since.IsZero() && m.Time.Before(f.Since) {
			return page, "", nil
		}
		entries, err := open(m.Data)
		if err != nil {
			continue // verify names it
		}
		for i := len(entries) - 1; i >= 0; i-- {
			e := entries[i]
			if below > 0 && e.N >= below || !f.matches(e.Entry) {
				continue
			}
			if len(page) == limit {
				return page, pageToken(seq, e.N+1), nil
			}
			shown, err := l.unbox(ctx, e)
			if err != nil {
				return nil, "", fmt.Errorf("list audit entries: %w", err)
			}
			page = append(page, shown)
		}
	}
	return page, "", nil
}

// A page token is the message to go on with, and the number below which its
// entries were not listed yet; 0: all of them.
func pageToken(seq, below uint64) string { return fmt.Sprintf("%d.%d", seq, below) }

func parseToken(t string) (seq, below uint64, err error) {
	a, b, ok := strings.Cut(t, ".")
	seq, err1 := strconv.ParseUint(a, 10, 64)
	below, err2 := strconv.ParseUint(b, 10, 64)
	if !ok || err1 != nil || err2 != nil || seq == 0 {
		return 0, 0, ErrBadToken
	}
	return seq, below, nil
}
