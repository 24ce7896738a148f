package discord

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/services/internal/hosted"
)

// place is a channel of direct messages: what is remembered of it.
type place struct {
	Channel string
	With    user   // the customer
	Aside   bool   // a group: nothing of it is taken
	Last    string // the newest message that was taken in
	Gap     int64  // of the cursor when it was caught up

	behind bool // what comes is taken in though what was said before is not: Last stays
}

// placeDoc is a place on disk. Who it is with is sealed.
type placeDoc struct {
	Account string `json:"account"`
	Who     sealed `json:"who"`
	Aside   bool   `json:"aside,omitempty"`
	Last    string `json:"last"`
	Gap     int64  `json:"gap"`
}

// whose is what is sealed of a place.
type whose struct {
	Channel string `json:"channel"`
	With    user   `json:"with"`
}

// withDoc is the channel in which a customer is written to.
type withDoc struct {
	Channel sealed `json:"channel"`
}

// place finds what is remembered of a channel; nil: nothing.
func (f *follower) place(ctx context.Context, channelID string) (*place, error) {
	id := f.a.kept.ID(f.id, f.me.ID, channelID)
	var d placeDoc
	if ok, err := f.a.kept.Get(ctx, colPlaces, id, &d); err != nil || !ok {
		return nil, err
	}
	return f.opened(ctx, id, d)
}

func (f *follower) opened(ctx context.Context, id string, d placeDoc) (*place, error) {
	var w whose
	if ok, err := f.a.kept.open(ctx, id, d.Who, &w); err != nil || !ok {
		return nil, err
	}
	return &place{Channel: w.Channel, With: w.With, Aside: d.Aside, Last: d.Last, Gap: d.Gap}, nil
}

// remembered are the documents of a place.
func (f *follower) remembered(ctx context.Context, p *place) ([]hosted.Change, error) {
	k := f.a.kept
	id := k.ID(f.id, f.me.ID, p.Channel)
	who, err := k.seal(ctx, f.id, id, whose{p.Channel, p.With})
	if err != nil {
		return nil, err
	}
	all := []hosted.Change{hosted.Put(colPlaces, id, placeDoc{Account: f.key(), Who: who, Aside: p.Aside, Last: p.Last, Gap: p.Gap})}
	if p.Aside || p.With.ID == "" {
		return all, nil
	}
	with := k.ID(f.id, "with", p.With.ID)
	where, err := k.seal(ctx, f.id, with, p.Channel)
	if err != nil {
		return nil, err
	}
	return append(all, hosted.Put(colPlaces, with, withDoc{where})), nil
}

// behind lists the channels in which something may have been said that no session has told of.
func (f *follower) behind(ctx context.Context) (channels []string, err error) {
	err = f.a.kept.List(ctx, colPlaces, byAccount, f.key(), func(id string, b []byte) error {
		var d placeDoc
		if err := json.Unmarshal(b, &d); err != nil {
			return fmt.Errorf("load from %s: %w", colPlaces, err)
		}
		if d.Aside || d.Gap >= f.at.Gap {
			return nil
		}
		p, err := f.opened(ctx, id, d)
		if err == nil && p != nil {
			channels = append(channels, p.Channel)
		}
		return err
	})
	return channels, err
}

// with is the channel in which a customer is written to; "": none is known.
func (a *Adapter) with(ctx context.Context, inboxID, userID string) (channelID string, err error) {
	id := a.kept.ID(inboxID, "with", userID)
	var d withDoc
	if ok, err := a.kept.Get(ctx, colPlaces, id, &d); err != nil || !ok {
		return "", err
	}
	_, err = a.kept.open(ctx, id, d.Channel, &channelID)
	return channelID, err
}

// ours is what is remembered of a message of ours: that it is ours, and by its nonce its id.
type ours struct {
	Message string `json:"message,omitempty"`
}

func (k *kept) own(inboxID, channelID, messageID, nonce string) []hosted.Change {
	all := []hosted.Change{hosted.Put(colOwn, k.ID(inboxID, "own", ref(channelID, messageID)), ours{})}
	if nonce != "" {
		all = append(all, hosted.Put(colOwn, k.ID(inboxID, "nonce", channelID, nonce), ours{messageID}))
	}
	return all
}

// isOwn says whether a message is ours.
func (k *kept) isOwn(ctx context.Context, inboxID, channelID, messageID string) (bool, error) {
	return k.Get(ctx, colOwn, k.ID(inboxID, "own", ref(channelID, messageID)), &ours{})
}

// ownBy is the message that went out with a nonce; "": none that is known.
func (k *kept) ownBy(ctx context.Context, inboxID, channelID, nonce string) (string, error) {
	var o ours
	_, err := k.Get(ctx, colOwn, k.ID(inboxID, "nonce", channelID, nonce), &o)
	return o.Message, err
}
