package mastodon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// maxWaiting is how many events of the stream wait while a question is open.
const maxWaiting = 32

// pageSize is how many notifications are asked for at once.
const pageSize = 40

// follower follows one account.
type follower struct {
	a   *Adapter
	id  string // of the inbox
	c   config
	acc account
	at  cursor

	wellAt time.Time // when it was said last that all is well; zero: there is trouble
	outage inbox.Outage
}

// follow runs one inbox until ctx ends, or until its settings are known to be
// wrong. Notifications are what is taken in: they can be asked for again. The stream says
// when, and tells of edits and deletions, which nothing else does.
func (a *Adapter) follow(ctx context.Context, in inbox.Inbox) {
	c, err := readConfig(in.Settings)
	if err != nil {
		a.note(in.ID, "needs_attention", err.Error())
		return
	}
	f := &follower{a: a, id: in.ID, c: c}
	if !hosted.Insist(ctx, f.trouble, func() (err error) {
		if f.acc, err = a.account(ctx, in.ID, c); err != nil {
			return attention(err)
		}
		return f.begin(ctx)
	}) {
		return
	}
	events := make(chan event, maxWaiting)
	streaming := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	go func() {
		defer close(streaming)
		f.stream(ctx, events)
	}()
	defer func() {
		stop()
		<-streaming
	}()
	look := time.NewTicker(a.look)
	defer look.Stop()
	var next event // is taken after the question
	for ask := true; ; {
		if ask {
			if !hosted.Insist(ctx, f.trouble, func() error { return f.catchUp(ctx) }) {
				return
			}
			f.outage.Well()
			// What a send has said meanwhile is not talked over at once.
			if now := a.now(); f.wellAt.IsZero() || now.Sub(f.wellAt) > 5*time.Minute {
				f.wellAt = now
				a.note(in.ID, "ok", "")
			}
		}
		if e := next; !e.asks() {
			if !hosted.Insist(ctx, f.trouble, func() error { return f.take(ctx, e) }) {
				return
			}
		}
		ask, next = false, event{}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			ask = true
		case next = <-events:
			// Whatever else the account follows is in the stream, too: it is no reason to ask.
			if ask = next.asks(); ask {
				next = merged(events)
			}
		}
	}
}

// merged takes what waits of reasons to ask, which are one question, up to
// what must not overtake it: an edit's post is asked for before the edit is taken. That is
// returned, an event that asks where there is none.
func merged(events <-chan event) event {
	for {
		select {
		case e := <-events:
			if !e.asks() {
				return e
			}
		default:
			return event{}
		}
	}
}

func (f *follower) key() string { return f.a.kept.ID(f.id, f.c.instance, f.acc.id) }

// begin finds where to go on. A new inbox begins now: its account's past is nobody's question.
func (f *follower) begin(ctx context.Context) error {
	ok, err := f.a.kept.Get(ctx, colCursors, f.key(), &f.at)
	if err != nil || ok {
		return err
	}
	page, err := f.page(ctx, url.Values{"limit": {"1"}})
	if err != nil {
		return err
	}
	f.at.Last = "0"
	if len(page) > 0 {
		f.at.Last = page[0].notification.ID
	}
	return f.a.kept.Save(ctx, hosted.Put(colCursors, f.key(), f.at))
}

// raised is a notification with its bytes.
type raised struct {
	notification notification
	raw          json.RawMessage
}

// page asks for notifications. Those that the account's own filters hold back are customers, too.
func (f *follower) page(ctx context.Context, q url.Values) ([]raised, error) {
	q["types[]"] = []string{"mention", "favourite"}
	q.Set("include_filtered", "true")
	var list []json.RawMessage
	if err := f.a.get(ctx, f.id, f.c, "/api/v1/notifications", q, &list); err != nil {
		return nil, fmt.Errorf("ask for notifications: %w", attention(err))
	}
	var out []raised
	for _, raw := range list {
		var n notification
		// What has the wrong type is left out here; Parse is strict, so that it is kept as unread.
		if _ = json.Unmarshal(raw, &n); n.ID != "" {
			out = append(out, raised{n, raw})
		}
	}
	return out, nil
}

// catchUp takes in every notification that is new, oldest first, and moves the cursor page by page ("min_id").
func (f *follower) catchUp(ctx context.Context) error {
	for {
		page, err := f.page(ctx, url.Values{"limit": {fmt.Sprint(pageSize)}, "min_id": {f.at.Last}})
		if err != nil {
			return err
		}
		page = slices.DeleteFunc(page, func(r raised) bool { return !newer(r.notification.ID, f.at.Last) })
		if len(page) == 0 {
			return nil
		}
		slices.SortFunc(page, func(x, y raised) int {
			if newer(x.notification.ID, y.notification.ID) {
				return 1
			}
			return -1
		})
		b := &batch{at: f.a.now().UTC()}
		for _, r := range page {
			if err := f.notified(ctx, b, r); err != nil {
				return err
			}
		}
		next := cursor{Last: page[len(page)-1].notification.ID}
		if err := f.store(ctx, b, hosted.Put(colCursors, f.key(), next)); err != nil {
			return err
		}
		f.at = next
	}
}

// batch is what is made durable at once.
type batch struct {
	at      time.Time
	inputs  []channel.Raw
	changes []hosted.Change
	posts   map[string]known
}

func (f *follower) store(ctx context.Context, b *batch, more ...hosted.Change) error {
	if len(b.inputs) > 0 {
		if err := f.a.deps.Intake.Accept(ctx, b.inputs...); err != nil {
			return fmt.Errorf("store what came: %w", err)
		}
		f.a.deps.Inboxes.SetHealth(f.id, inbox.Health{LastIn: b.at})
	}
	if all := append(b.changes, more...); len(all) > 0 {
		return f.a.kept.Save(ctx, all...)
	}
	return nil
}

func (f *follower) trouble(err error) {
	f.wellAt = time.Time{}
	state := "connecting"
	if hosted.Gone(&f.outage, err, f.a.now()) || errors.Is(err, channel.ErrNeedsAttention) {
		state = "needs_attention"
	}
	f.a.note(f.id, state, err.Error())
}
