package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/hub/hubtest"
	"google.golang.org/protobuf/encoding/protojson"
)

const (
	senders  = 150
	visitors = 6
	agents   = 2

	mailEvery  = 20 * time.Millisecond
	chatEvery  = 110 * time.Millisecond // below 600 a minute
	replyEvery = 60 * time.Millisecond
	retryAfter = 40 * time.Millisecond
	ackWithin  = 4 * time.Second
)

// load is everybody outside. Run until over is closed; what was begun is then
// still carried through until ctx ends.
type load struct {
	*rig
	over <-chan struct{}
	wg   sync.WaitGroup

	readers sync.WaitGroup // they end with ctx
}

func (l *load) start(ctx context.Context, t *testing.T) {
	l.wg.Go(func() { l.mails(t) })
	l.readers.Go(func() { l.follow(ctx) })
	for i := range visitors {
		l.wg.Go(func() { l.visit(ctx, fmt.Sprintf("visitor-%d", i)) })
	}
	for i := range agents {
		l.wg.Go(func() { l.answer(ctx, i) })
	}
}

// sleep returns false when the load is over.
func (l *load) sleep(d time.Duration) bool {
	select {
	case <-l.over:
		return false
	case <-time.After(d):
		return true
	}
}

// mails fills the mailbox; every tenth mail comes a second time, later.
func (l *load) mails(t *testing.T) {
	var before [][]byte
	for l.sleep(mailEvery) {
		who := fmt.Sprintf("sender-%d@example.org", rand.N(senders))
		m := l.ledger.next(who)
		raw := fmt.Appendf(nil, "From: %s <%s>\nTo: %s\nSubject: mail\nMessage-ID: <%s-%d>\nDate: Mon, 02 Jan 2006 15:04:05 +0000\n\n%s\n",
			"S", who, hubtest.Address, who, m.n, m.token())
		if err := l.box.Deliver(raw); err != nil {
			t.Errorf("deliver: %v", err)
			return
		}
		l.ledger.accepted(who)
		before = append(before, raw)
		if rand.N(10) == 0 {
			if err := l.box.Deliver(before[rand.N(len(before))]); err != nil {
				t.Errorf("deliver a copy: %v", err)
				return
			}
			l.ledger.copied()
		}
	}
}

// visit sends one message after the other, each again and again under its id until it is acknowledged.
func (l *load) visit(ctx context.Context, who string) {
	var w *hubtest.Widget
	hangUp := func() {
		if w != nil {
			w.Close()
			w = nil
		}
	}
	defer hangUp()
	for l.sleep(chatEvery) {
		m, id := l.ledger.next(who), uuid.NewString()
		for ctx.Err() == nil {
			if w == nil {
				w = l.connect(ctx, who)
			}
			if w != nil && l.sendOnce(ctx, w, id, m.token()) == nil {
				l.ledger.accepted(who)
				break
			}
			hangUp()
			wait(ctx, retryAfter)
		}
	}
}

func (l *load) sendOnce(ctx context.Context, w *hubtest.Widget, id, text string) error {
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	if err := w.Send(id, text); err != nil {
		return err
	}
	return w.Acked(ctx, id)
}

// connect is nil when the hub is not there.
func (l *load) connect(ctx context.Context, who string) *hubtest.Widget {
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	w, err := hubtest.DialWidget(ctx, l.url(), "shop", l.hello(who))
	if err != nil {
		return nil
	}
	welcome, err := w.Welcome(ctx)
	if err != nil {
		w.Close()
		return nil
	}
	l.remember(who, hubtest.Hello{Token: welcome.Token, Who: welcome.Who})
	return w
}

// answer replies to random conversations, each reply under one key until it is accepted.
func (l *load) answer(ctx context.Context, agent int) {
	for n := 0; l.sleep(replyEvery); n++ {
		conversation := l.pick(ctx)
		if conversation == "" {
			continue
		}
		token := fmt.Sprintf("reply/%d/%d", agent, n)
		body, err := json.Marshal(map[string]string{"conversationId": conversation, "text": token, "idempotencyKey": token})
		if err != nil {
			panic(err) // strings always can be
		}
		for ctx.Err() == nil {
			var r inboxv1.SendReplyResponse
			err := l.call(ctx, "SendReply", string(body), &r)
			if err == nil {
				l.ledger.replied(token, r.GetEntry().GetId())
				break
			}
			if e, ok := errors.AsType[*hubtest.CallError](err); ok && e.Status < 500 {
				l.complain("reply refused: %v", err)
				break
			}
			wait(ctx, retryAfter)
		}
	}
}

func (l *load) pick(ctx context.Context) string {
	var page inboxv1.ListConversationsResponse
	if err := l.call(ctx, "ListConversations", `{"pageSize":100}`, &page); err != nil || len(page.GetConversations()) == 0 {
		return ""
	}
	return page.GetConversations()[rand.N(len(page.GetConversations()))].GetId()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

var lenient = protojson.UnmarshalOptions{DiscardUnknown: true}
