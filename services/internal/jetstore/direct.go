package jetstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
)

// direct speaks JetStream's batched direct get, which nats.go has no call for:
// one request, up to batch messages on the reply subject, then an empty message
// with status 204. All requests share one subscription.
type direct struct {
	nc     *nats.Conn
	prefix string // "$JS.API." unless the context has a domain or prefix
	inbox  string
	sub    *nats.Subscription

	mu      sync.Mutex
	next    uint64
	waiting map[string]chan *nats.Msg
}

// query asks for up to Batch messages from Seq on, of one subject if NextFor is set.
type query struct {
	Seq      uint64 `json:"seq"`
	NextFor  string `json:"next_by_subj,omitempty"`
	Batch    int    `json:"batch"`
	MaxBytes int    `json:"max_bytes"`
}

// readPatience is how long a read may be silent. The server may have to load
// and unpack many files before its first message: of a stream of a million
// commits, or on a machine that is busy, that can take longer than other answers.
const readPatience = 30 * time.Second

// errNoDirect: nobody answers direct gets for the stream.
var errNoDirect = errors.New("direct get is not available")

func newDirect(js jetstream.JetStream) (*direct, error) {
	prefix := js.Options().APIPrefix
	if d := js.Options().Domain; d != "" {
		prefix = "$JS." + d + ".API"
	}
	if prefix == "" {
		prefix = "$JS.API"
	}
	d := &direct{
		nc: js.Conn(), prefix: strings.TrimSuffix(prefix, ".") + ".",
		inbox: js.Conn().NewInbox(), waiting: map[string]chan *nats.Msg{},
	}
	var err error
	if d.sub, err = d.nc.Subscribe(d.inbox+".*", d.dispatch); err != nil {
		return nil, fmt.Errorf("subscribe to answers: %w", err)
	}
	// What is pending is bounded by the batches asked for.
	if err := d.sub.SetPendingLimits(-1, -1); err != nil {
		return nil, fmt.Errorf("lift pending limits: %w", err)
	}
	return d, nil
}

func (d *direct) close() error { return d.sub.Unsubscribe() }

func (d *direct) dispatch(m *nats.Msg) {
	token := m.Subject[len(d.inbox)+1:]
	d.mu.Lock()
	ch := d.waiting[token]
	d.mu.Unlock()
	select {
	case ch <- m:
	default: // nobody waits any more
	}
}

func (d *direct) expect(n int) (reply string, answers <-chan *nats.Msg, forget func()) {
	ch := make(chan *nats.Msg, n)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	token := strconv.FormatUint(d.next, 36)
	d.waiting[token] = ch
	return d.inbox + "." + token, ch, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.waiting, token)
	}
}

// get gives the messages and how many there are after them.
func (d *direct) get(ctx context.Context, stream string, q query) (msgs []*nats.Msg, pending uint64, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, 0, fmt.Errorf("encode direct get: %w", err)
	}
	reply, answers, forget := d.expect(q.Batch + 1)
	defer forget()
	err = d.nc.PublishMsg(&nats.Msg{Subject: d.prefix + "DIRECT.GET." + stream, Reply: reply, Data: body})
	var end *nats.Msg
	if err == nil {
		msgs, end, err = gather(ctx, answers, q.Batch+1)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("direct get from %s: %w", stream, err)
	}
	switch status := end.Header.Get("Status"); status {
	case "204":
		pending, err = strconv.ParseUint(end.Header.Get("Nats-Num-Pending"), 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("direct get from %s: end of batch: %w", stream, err)
		}
		return msgs, pending, nil
	case "404":
		return msgs, 0, nil
	case "503":
		return nil, 0, errNoDirect
	default:
		return nil, 0, fmt.Errorf("direct get from %s: status %s %s", stream, status, end.Header.Get("Description"))
	}
}

// gather collects up to limit messages; end is the one with a status that ended
// them before, nil when none did. A server that is silent for a while is waited
// for no more: eventstore.ErrUnavailable.
func gather(ctx context.Context, answers <-chan *nats.Msg, limit int) (msgs []*nats.Msg, end *nats.Msg, err error) {
	silence := time.NewTimer(readPatience)
	defer silence.Stop()
	for len(msgs) < limit {
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-silence.C:
			return nil, nil, fmt.Errorf("no answer for %s: %w", readPatience, eventstore.ErrUnavailable)
		case m := <-answers:
			if m.Header.Get("Status") != "" {
				return msgs, m, nil
			}
			msgs = append(msgs, m)
			silence.Reset(readPatience)
		}
	}
	return msgs, nil, nil
}
