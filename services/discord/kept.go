package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Collections of what outlives the process.
const (
	colCursors = "discord_cursors" // by inbox and bot
	colPlaces  = "discord_places"  // by inbox, bot and channel; by inbox and customer: where he is written to
	colOwn     = "discord_own"     // by inbox and message of ours, and by its nonce
)

var byAccount = docstore.Index{Name: "account", Prefix: []string{"account"}}

// cursor is how far a bot was followed. It moves once everything before it is on disk.
type cursor struct {
	Session string `json:"session,omitempty"`
	Seq     int64  `json:"seq,omitempty"`
	Resume  string `json:"resume,omitempty"` // where the session goes on; "": asked for
	// Began is before the least id of what is taken: the past of a new inbox is nobody's question.
	Began string `json:"began,omitempty"`
	// Gap counts the sessions that could not be resumed: a place that is behind it is caught up.
	Gap int64 `json:"gap,omitempty"`
}

// sealed is something that tells of a person, under the inbox's key.
type sealed struct {
	Box   crypt.Sealed `json:"box"`
	Plain string       `json:"plain,omitempty"` // where there is no keyring
}

// kept is what outlives the process; what tells of a person is sealed in it.
type kept struct {
	*hosted.Kept
	keys crypt.Keyring
}

func newKept(d hosted.Deps) *kept {
	return &kept{hosted.NewKept(d, Name, docstore.Collection{Name: colCursors},
		docstore.Collection{Name: colPlaces, Indexes: []docstore.Index{byAccount}}, docstore.Collection{Name: colOwn}), d.Keys}
}

// seal seals v for a document.
func (k *kept) seal(ctx context.Context, inboxID, id string, v any) (s sealed, err error) {
	b, err := json.Marshal(v)
	switch {
	case err != nil:
	case k.keys == nil:
		s.Plain = string(b)
	default:
		s.Box, err = k.keys.Seal(ctx, "inbox/"+inboxID, b, []byte("discord "+id))
	}
	if err != nil {
		return s, fmt.Errorf("seal what discord keeps: %w", err)
	}
	return s, nil
}

// open is the way back; false: its key was destroyed.
func (k *kept) open(ctx context.Context, id string, s sealed, v any) (ok bool, err error) {
	b := []byte(s.Plain)
	if k.keys != nil {
		if b, err = k.keys.Open(ctx, s.Box, []byte("discord "+id)); errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
			return false, nil
		}
	}
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return false, fmt.Errorf("open what discord keeps: %w", err)
	}
	return true, nil
}
