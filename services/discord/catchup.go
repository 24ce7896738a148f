package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// pageSize is how many messages are asked for at once.
const pageSize = 100

// Types of channels.
const typeDirect = 1

// current is the channel of a message that came, caught up to that message: what
// was said there before and no session told of is taken in first.
func (f *follower) current(ctx context.Context, b *batch, m message) (*place, error) {
	p, err := f.known(ctx, b, m.Channel)
	if err != nil {
		return nil, err
	}
	if p == nil {
		if p, err = f.discover(ctx, m); err != nil {
			return nil, err
		}
	}
	b.places[m.Channel] = p
	if p.Aside || p.Gap >= f.at.Gap {
		return p, nil
	}
	if f.stuck[m.Channel] < patient {
		err = f.catchUp(ctx, b, p, m.ID)
		if err == nil || ctx.Err() != nil || !errors.Is(err, errUnlisted) {
			return p, err
		}
		if f.stuck[m.Channel]++; f.stuck[m.Channel] < patient && hosted.Patience(err, 0) < time.Minute {
			return p, err
		}
		f.stuck[m.Channel] = patient
		f.later(m.Channel, err)
	}
	p.behind = true // one conversation that cannot be listed holds up neither the others nor what is said in it now
	return p, nil
}

// patient is how often a conversation is tried to be listed before what is said in it now is taken in without.
const patient = 3

// errUnlisted: what was said in a conversation cannot be listed now.
var errUnlisted = errors.New("what was said cannot be listed")

// discover finds out what a channel is in which nothing was said yet; where the event
// does not say it Discord is asked ("Get Channel"). Only people's direct messages are taken: a group is put aside.
func (f *follower) discover(ctx context.Context, m message) (*place, error) {
	p := &place{Channel: m.Channel, Last: f.at.Began}
	c := struct {
		Type int `json:"type"`
	}{typeDirect}
	if m.Place != nil {
		c.Type = *m.Place
	} else if err := f.a.get(ctx, f.id, f.c, "/channels/"+m.Channel, &c); err != nil && !refusedAs(err) { // of a refusal the message says all there is to know
		return nil, fmt.Errorf("ask for a channel: %w", err)
	}
	if c.Type != typeDirect {
		p.Aside = true
		f.aside = "the bot is in a group, of which nothing is taken"
		f.a.log.Info("messages of a group are put aside", "channel", Name, "inbox", f.id)
		if f.ready {
			f.well()
		}
	}
	return p, nil
}

// catchUp takes in all that is listed up to a message, page by page. Each but the last
// is stored at once: it goes on from there, and no more are held.
func (f *follower) catchUp(ctx context.Context, b *batch, p *place, upTo string) error {
	for {
		more, err := f.page(ctx, b, p, upTo)
		if err != nil || !more {
			return err
		}
		if err := f.store(ctx, b); err != nil {
			return err
		}
		b.inputs, b.changes = nil, nil
	}
}

// page takes in one page of what is listed behind what was taken in last, oldest first, up to a
// message ("": to the end); false: there is no other ("Get Channel Messages").
func (f *follower) page(ctx context.Context, b *batch, p *place, upTo string) (more bool, err error) {
	q := url.Values{"after": {cmp.Or(p.Last, "0")}, "limit": {strconv.Itoa(pageSize)}}
	var list []json.RawMessage
	err = f.a.get(ctx, f.id, f.c, "/channels/"+p.Channel+"/messages?"+q.Encode(), &list)
	switch {
	case refusedAs(err, codeUnknownChannel, codeNoAccess, codeNoPermission): // any other refusal may be somebody's on the way
		f.a.log.Debug("a channel could not be caught up", "channel", Name, "inbox", f.id, "error", err)
		p.Gap = f.at.Gap // it is gone, or not for us any more
		return false, nil
	case err == nil && list == nil:
		err = errNotDiscord
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", errUnlisted, err)
	}
	if more, err = f.listed(b, p, list, upTo); err != nil {
		return false, err
	}
	if more = more && len(list) >= pageSize; !more {
		p.Gap = f.at.Gap
	}
	return more, nil
}

// listed takes in a page; false: the message was reached, or nothing is new.
func (f *follower) listed(b *batch, p *place, list []json.RawMessage, upTo string) (more bool, err error) {
	type one struct {
		message
		raw json.RawMessage
	}
	var page []one
	for _, raw := range list {
		var m message
		// What has the wrong type is left out here; Parse is strict, so that it is kept as unread.
		if _ = json.Unmarshal(raw, &m); idForm.MatchString(m.ID) && newer(m.ID, p.Last) {
			m.Channel = p.Channel
			page = append(page, one{m, raw})
		}
	}
	slices.SortFunc(page, func(x, y one) int {
		if newer(x.ID, y.ID) {
			return 1
		}
		return -1
	})
	for _, m := range page {
		if upTo != "" && !newer(upTo, m.ID) {
			return false, nil
		}
		switch {
		case m.Author.ID == f.me.ID:
			b.own(f.a.kept, f.id, m.message)
			p.Last = m.ID
		case !m.person():
			p.Last = m.ID
		default:
			if err := f.written(b, p, m.message, m.raw); err != nil {
				return false, err
			}
		}
	}
	return len(page) > 0, nil
}

// catchUpNext takes in a page of one channel of those that are late; where there is more the others
// come first. One that cannot be now is tried again.
func (f *follower) catchUpNext(ctx context.Context) {
	channelID := f.late[0]
	f.late = f.late[1:]
	more, err := func() (more bool, err error) {
		p, err := f.place(ctx, channelID)
		if err != nil || p == nil || p.Gap >= f.at.Gap {
			return false, err
		}
		b := f.newBatch()
		b.places[channelID] = p
		if more, err = f.page(ctx, b, p, ""); err != nil {
			return false, err
		}
		return more, f.store(ctx, b)
	}()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		f.later(channelID, err)
	case more:
		f.late = append(f.late, channelID)
	default:
		delete(f.stuck, channelID)
	}
}

// later has a channel caught up once the others are, and not at once.
func (f *follower) later(channelID string, err error) {
	if !slices.Contains(f.late, channelID) {
		f.late = append(f.late, channelID)
	}
	f.lateAt = time.Now().Add(min(max(hosted.Patience(err, 2*time.Second), time.Second), time.Minute)) // others are behind it
	f.a.log.Warn("a channel could not be caught up yet", "channel", Name, "inbox", f.id, "error", err)
	if errors.Is(err, channel.ErrNeedsAttention) {
		f.trouble(err)
	}
}
