package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/weftline/weftline/services/internal/docstore"
)

// colFollow: visitors who may have left before they read an answer, by handle id.
const colFollow = "chat_follows"

// followState is what is waited for. It ends when the visitor has read
// Position, or was sent it.
type followState struct {
	Inbox    string    `json:"inbox"`
	Address  string    `json:"address"` // of the handle
	Position string    `json:"position"`
	Due      time.Time `json:"due"`
	Tries    int       `json:"tries,omitempty"`
}

// maxFollowTries ends what fails for a day.
const maxFollowTries = 100

// follow watches an answer of a visitor who has an address to be written to.
func (a *Adapter) follow(ctx context.Context, c *config, handleID, address, position string) error {
	if !a.continues(c) {
		return nil
	}
	defer a.follows.lock(handleID)()
	return a.store(ctx, colFollow, handleID, followState{
		Inbox: c.ID, Address: address, Position: position, Due: a.d.Now().UTC().Add(c.MailAfter),
	})
}

// followUp sends by mail or SMS what is due and was not read.
func (a *Adapter) followUp(ctx context.Context) error {
	now := a.d.Now()
	due := map[string]followState{}
	err := a.d.State.Scan(ctx, colFollow, func(d docstore.Doc) error {
		var f followState
		if err := json.Unmarshal(d.JSON, &f); err != nil {
			return fmt.Errorf("decode an unread answer: %w", err)
		}
		if !f.Due.After(now) {
			due[d.ID] = f
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list unread answers: %w", err)
	}
	for handleID, f := range due {
		if ctx.Err() != nil {
			return nil
		}
		if err := a.followOne(ctx, handleID, f); err != nil {
			a.log.Warn("unread answer not sent on", "inbox", f.Inbox, "error", err)
		}
	}
	return nil
}

// followOne: a visitor who is here is not written to, nor one who left just now.
func (a *Adapter) followOne(ctx context.Context, handleID string, f followState) error {
	c, ok := a.config(f.Inbox)
	if !ok || !a.continues(c) {
		return a.followed(ctx, handleID, f, nil)
	}
	var h handleState
	if _, err := a.load(ctx, colHandle, handleID, &h); err != nil {
		return err
	}
	from := max(h.Read, h.Mailed)
	if from >= f.Position {
		return a.followed(ctx, handleID, f, nil)
	}
	if wait := a.rooms.away(handleID).Add(c.MailAfter).Sub(a.d.Now()); wait > 0 {
		next := f
		next.Due = a.d.Now().UTC().Add(wait)
		return a.followed(ctx, handleID, f, &next)
	}
	err := a.forward(ctx, c, handleID, &h, f, from)
	if errors.Is(err, errNoWay) {
		return a.followed(ctx, handleID, f, nil)
	}
	if err != nil {
		next := f.later(a.d.Now())
		if next.Tries >= maxFollowTries {
			a.log.Warn("an unread answer was given up", "inbox", f.Inbox, "code", connect.CodeOf(err).String())
			return a.followed(ctx, handleID, f, nil)
		}
		return a.followed(ctx, handleID, f, &next)
	}
	// Noted before it is forgotten: after a crash in between it is asked for
	// again, and the same replies are one copy.
	err = a.changeHandle(ctx, handleID, func(h *handleState) bool {
		h.Mailed = max(h.Mailed, f.Position)
		return true
	})
	if err != nil {
		return err
	}
	return a.followed(ctx, handleID, f, nil)
}

// followed puts next in the place of f, or nothing, unless a newer answer took it.
func (a *Adapter) followed(ctx context.Context, handleID string, f followState, next *followState) error {
	defer a.follows.lock(handleID)()
	var now followState
	if found, err := a.load(ctx, colFollow, handleID, &now); err != nil || !found || now.Position != f.Position {
		return err
	}
	if next != nil {
		return a.store(ctx, colFollow, handleID, *next)
	}
	op := docstore.Op{Collection: colFollow, Doc: docstore.Doc{ID: handleID}, Delete: true}
	if err := a.d.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("write %s: %w", colFollow, err)
	}
	return nil
}
