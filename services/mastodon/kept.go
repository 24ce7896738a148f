package mastodon

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
	colCursors  = "mastodon_cursors"  // by inbox and account
	colStatuses = "mastodon_statuses" // by inbox and post: what an answer and a deletion need
)

// cursor is the notification that was taken in last. It moves once everything before it is on disk.
type cursor struct {
	Last string `json:"last"`
}

// post is what is remembered of one: a deletion says only its id. Who wrote it is
// sealed under the inbox's key.
type post struct {
	Author     crypt.Sealed `json:"author"`
	Plain      string       `json:"plain,omitempty"` // where there is no keyring
	Visibility string       `json:"visibility"`
	Root       string       `json:"root"` // the first post of its thread that is known
}

// kept is what outlives the process; who wrote a post is sealed in it.
type kept struct {
	*hosted.Kept
	keys crypt.Keyring
}

func newKept(d hosted.Deps) *kept {
	return &kept{hosted.NewKept(d, Name, docstore.Collection{Name: colCursors}, docstore.Collection{Name: colStatuses}), d.Keys}
}

// known is a post that was remembered, and who wrote it.
type known struct {
	user       user
	visibility string
	root       string
}

func (k *kept) post(ctx context.Context, inboxID, statusID string) (p known, ok bool, err error) {
	var d post
	id := k.ID(inboxID, statusID)
	if ok, err = k.Get(ctx, colStatuses, id, &d); err != nil || !ok {
		return p, false, err
	}
	p.visibility, p.root = d.Visibility, d.Root
	b := []byte(d.Plain)
	if k.keys != nil {
		if b, err = k.keys.Open(ctx, d.Author, []byte("mastodon post "+id)); errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
			return p, false, nil
		}
	}
	if err == nil {
		err = json.Unmarshal(b, &p.user)
	}
	if err != nil {
		return p, false, fmt.Errorf("open author of a post: %w", err)
	}
	return p, true, nil
}

// remember is the document of a post.
func (k *kept) remember(ctx context.Context, inboxID, statusID string, p known) (hosted.Change, error) {
	id := k.ID(inboxID, statusID)
	d := post{Visibility: p.visibility, Root: p.root}
	b, err := json.Marshal(p.user)
	if err == nil && k.keys != nil {
		d.Author, err = k.keys.Seal(ctx, "inbox/"+inboxID, b, []byte("mastodon post "+id))
	} else {
		d.Plain = string(b)
	}
	if err != nil {
		return hosted.Change{}, fmt.Errorf("seal author of a post: %w", err)
	}
	return hosted.Put(colStatuses, id, d), nil
}
