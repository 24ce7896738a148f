package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Collections of what outlives the process.
const (
	colCursors   = "matrix_cursors"   // by inbox and account: how far it was followed
	colRooms     = "matrix_rooms"     // by inbox, account and room
	colReactions = "matrix_reactions" // by inbox and event: what a redaction of it takes back
	colSessions  = "matrix_sessions"  // by inbox, sealed
)

// cursor is how far an account was followed. It moves once everything before it is on disk.
type cursor struct {
	Since string `json:"since"`
	// Invited are rooms that could not be joined yet, with the number of tries.
	Invited map[string]int `json:"invited,omitempty"`
}

// place is what is remembered of a room.
type place struct {
	Last string `json:"last,omitempty"` // the event that was taken in last
	// Unread are our messages that the other one has not read, oldest first.
	Unread []sent `json:"unread,omitempty"`
	Read   string `json:"read,omitempty"` // an event that the other one has read and that has not come yet
	Told   bool   `json:"told,omitempty"` // that we cannot read encrypted rooms
}

// with is the room in which a customer was heard last.
type with struct {
	Room string `json:"room"`
}

// with names the document of a customer's room.
func (k *kept) with(inboxID, user string) string {
	return k.ID(inboxID, "with", handleid.Normalise(Name, user))
}

// sent is one of our own messages.
type sent struct {
	Event    string `json:"event"`
	Outbound string `json:"outbound"`
}

// maxUnread bounds a room's Unread: what is older stays "sent".
const maxUnread = 100

// reaction is what an event of the type m.reaction said: a redaction of it does not say so again.
type reaction struct {
	Target string `json:"target"`
	Key    string `json:"key"`
	// Gone: it was taken back before it was heard of, so that it said nothing any more.
	Gone bool `json:"gone,omitempty"`
}

// session is an access token that a login gave.
type session struct {
	Who   string `json:"who"`
	Token string `json:"token"`
}

// kept is what outlives the process; sessions in it are sealed.
type kept struct {
	*hosted.Kept
	keys crypt.Keyring
}

func newKept(d hosted.Deps) *kept {
	return &kept{hosted.NewKept(d, Name, docstore.Collection{Name: colCursors}, docstore.Collection{Name: colRooms},
		docstore.Collection{Name: colReactions}, docstore.Collection{Name: colSessions}), d.Keys}
}

func (k *kept) session(ctx context.Context, inboxID string) (session, error) {
	var s session
	if k.keys == nil { // nothing to seal it with: a session lives as long as the process
		return s, nil
	}
	var box crypt.Sealed
	if _, err := k.Get(ctx, colSessions, inboxID, &box); err != nil || box.Key == "" {
		return s, err
	}
	b, err := k.keys.Open(ctx, box, []byte("matrix session "+inboxID))
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		return s, nil // one more login
	}
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return s, fmt.Errorf("open session: %w", err)
	}
	return s, nil
}

func (k *kept) saveSession(ctx context.Context, inboxID string, s session) error {
	if k.keys == nil {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode session: %w", err)
	}
	box, err := k.keys.Seal(ctx, "inbox/"+inboxID, b, []byte("matrix session "+inboxID))
	if err != nil {
		return fmt.Errorf("seal session: %w", err)
	}
	return k.Save(ctx, hosted.Put(colSessions, inboxID, box))
}
