package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// holdFor is how long the homeserver holds a sync without news: less than the
// patience of the hub's client.
const holdFor = 20 * time.Second

// filter leaves out what is never read: presence, other people's typing, members that say nothing ("Filtering").
const filter = `{"presence":{"types":[]},"account_data":{"types":[]},"room":{"account_data":{"types":[]},"ephemeral":{"types":["m.receipt"]},"timeline":{"limit":50}}}`

// account is what is known of an inbox's account while the process lives.
type account struct {
	entering sync.Mutex // held while logging in; guards session
	session  session

	mu     sync.Mutex
	user   string
	userOf string
	rooms  map[string]*room
	// following: rooms are kept up to date by a sync.
	following bool
	notice    string // what to say beside "ok"
}

func (a *Adapter) account(id string) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc := a.accounts[id]
	if acc == nil {
		acc = &account{rooms: map[string]*room{}}
		a.accounts[id] = acc
	}
	return acc
}

// answer is a sync's ("GET /_matrix/client/v3/sync").
type answer struct {
	Next  string `json:"next_batch"`
	Rooms struct {
		Join   map[string]update `json:"join"`
		Leave  map[string]update `json:"leave"`
		Invite map[string]struct {
			State struct {
				Events []json.RawMessage `json:"events"`
			} `json:"invite_state"`
		} `json:"invite"`
	} `json:"rooms"`
}

type update struct {
	State struct {
		Events []json.RawMessage `json:"events"`
	} `json:"state"`
	Timeline struct {
		Events  []json.RawMessage `json:"events"`
		Limited bool              `json:"limited"`
		Prev    string            `json:"prev_batch"`
	} `json:"timeline"`
	Ephemeral struct {
		Events []struct {
			Type    string          `json:"type"`
			Content json.RawMessage `json:"content"`
		} `json:"events"`
	} `json:"ephemeral"`
}

// follower follows one account.
type follower struct {
	a   *Adapter
	acc *account
	id  string // of the inbox
	c   config
	me  string
	at  cursor

	invitedAt time.Time // when invitations were tried last
	wellAt    time.Time // when it was said last that all is well; zero: there is trouble
	wellWith  string
	outage    inbox.Outage
}

// follow runs one inbox until ctx ends, or until its settings are known to be wrong.
func (a *Adapter) follow(ctx context.Context, in inbox.Inbox) {
	c, err := readConfig(in.Settings)
	if err != nil {
		a.note(in.ID, "needs_attention", err.Error())
		return
	}
	f := &follower{a: a, acc: a.account(in.ID), id: in.ID, c: c}
	if !hosted.Insist(ctx, f.trouble, func() (err error) {
		if f.me, err = a.me(ctx, in.ID, c); err != nil {
			return err
		}
		_, err = a.kept.Get(ctx, colCursors, f.key(), &f.at)
		return err
	}) {
		return
	}
	f.acc.mu.Lock()
	f.acc.rooms, f.acc.following, f.acc.notice = map[string]*room{}, true, ""
	f.acc.mu.Unlock()
	defer func() {
		f.acc.mu.Lock()
		f.acc.rooms, f.acc.following = map[string]*room{}, false
		f.acc.mu.Unlock()
	}()
	wait := time.Second
	for ctx.Err() == nil {
		began := time.Now()
		news, err := f.turn(ctx)
		if err == nil {
			wait = time.Second
			f.outage.Well()
			f.well()
			if !news && time.Since(began) < 50*time.Millisecond { // a homeserver that does not hold the question
				hosted.Pause(ctx, time.Second)
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		f.trouble(err)
		hosted.Pause(ctx, hosted.Patience(err, wait))
		wait = min(2*wait, 5*time.Minute)
	}
}

// key names the cursor: of another account in the same inbox it is another.
func (f *follower) key() string { return f.a.kept.ID(f.id, f.me) }

// turn asks once, and moves the cursor when everything in the answer is safe. false:
// nothing has happened in any room.
func (f *follower) turn(ctx context.Context) (news bool, err error) {
	q := url.Values{"filter": {filter}, "timeout": {fmt.Sprint(holdFor.Milliseconds())}, "set_presence": {"offline"}}
	if f.at.Since != "" {
		q.Set("since", f.at.Since)
	} else {
		q.Set("timeout", "0")
	}
	if len(f.at.Invited) > 0 {
		q.Set("timeout", fmt.Sprint(min(holdFor, f.a.retry).Milliseconds()))
	}
	var got answer
	err = f.a.call(ctx, f.id, f.c, http.MethodGet, client+"/sync?"+q.Encode(), nil, &got)
	if r, ok := errors.AsType[*refusal](err); ok && r.status == http.StatusBadRequest && f.at.Since != "" {
		// The token is none any more (a homeserver restored or replaced). What was taken in before is known by its ids.
		f.a.log.Warn("the homeserver does not know where we were; rooms are read anew", "channel", Name, "inbox", f.id)
		f.at.Since = ""
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("sync: %w", err)
	}
	if got.Next == "" {
		return false, errors.New("sync: the homeserver's answer has no next_batch")
	}
	b, err := f.gather(ctx, got)
	if err != nil {
		return false, err
	}
	if err := f.store(ctx, b); err != nil {
		return false, err
	}
	next := cursor{Since: got.Next, Invited: f.invited(ctx, got)}
	if err := f.refuse(ctx, b); err != nil {
		return false, err
	}
	if err := f.a.kept.Save(ctx, append(b.changes(f), hosted.Put(colCursors, f.key(), next))...); err != nil {
		return false, err
	}
	first := f.at.Since == "" // which is answered at once
	f.at = next
	return first || len(got.Rooms.Join)+len(got.Rooms.Leave)+len(got.Rooms.Invite) > 0, nil
}

// store makes what came durable.
func (f *follower) store(ctx context.Context, b *batch) error {
	const most = 100
	for from := 0; from < len(b.inputs); from += most {
		if err := f.a.deps.Intake.Accept(ctx, b.inputs[from:min(from+most, len(b.inputs))]...); err != nil {
			return fmt.Errorf("store events: %w", err)
		}
	}
	if len(b.receipts) > 0 {
		if err := f.a.deps.Intake.Report(ctx, b.receipts...); err != nil {
			return fmt.Errorf("store receipts: %w", err)
		}
	}
	if len(b.inputs) > 0 {
		f.a.deps.Inboxes.SetHealth(f.id, inbox.Health{LastIn: b.at})
	}
	return nil
}

func (f *follower) trouble(err error) {
	f.wellAt = time.Time{}
	state := "connecting"
	if hosted.Gone(&f.outage, err, f.a.now()) || errors.Is(err, channel.ErrNeedsAttention) || refusedAs(err) {
		state = "needs_attention"
	}
	f.a.note(f.id, state, err.Error())
}

func (a *Adapter) note(id, state, detail string) {
	a.deps.Inboxes.SetHealth(id, inbox.Health{State: state, Detail: detail})
}

// well says that an inbox works where that is news, and now and then: what a
// send has said meanwhile is not talked over at once.
func (f *follower) well() {
	f.acc.mu.Lock()
	notice := f.acc.notice
	f.acc.mu.Unlock()
	if now := f.a.now(); f.wellAt.IsZero() || f.wellWith != notice || now.Sub(f.wellAt) > 5*time.Minute {
		f.wellAt, f.wellWith = now, notice
		f.a.well(f.id)
	}
}

// well says that an inbox works, and what was refused last.
func (a *Adapter) well(id string) {
	acc := a.account(id)
	acc.mu.Lock()
	detail := acc.notice
	acc.mu.Unlock()
	a.note(id, "ok", detail)
}
