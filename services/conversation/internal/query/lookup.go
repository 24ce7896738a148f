package query

import (
	"context"
	"errors"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Entry finds an entry by its id, ErrNotFound when it is not projected.
func (r *Reader) Entry(ctx context.Context, id string) (*readmodel.Entry, error) {
	p, release := r.live.Acquire()
	defer release()
	return get[readmodel.Entry](ctx, r.store, p.Names().Timeline, id)
}

// Known says whether a message or reply is in the timeline, as far as it is projected.
func (r *Reader) Known(ctx context.Context, id string) (bool, error) {
	_, err := r.Entry(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Refs finds what a reference (keyed hash) may mean, newest first, at most 10.
func (r *Reader) Refs(ctx context.Context, hash string) ([]*readmodel.Ref, error) {
	p, release := r.live.Acquire()
	defer release()
	return list[readmodel.Ref](ctx, r.store, p.Names().Refs, docstore.Query{
		Index: readmodel.ByRef, Prefix: []any{hash}, Desc: true, Limit: 10,
	})
}

// Row finds a conversation's row, ErrNotFound when it is not projected.
func (r *Reader) Row(ctx context.Context, id string) (*readmodel.Conversation, error) {
	p, release := r.live.Acquire()
	defer release()
	return get[readmodel.Conversation](ctx, r.store, p.Names().Conversations, id)
}

// HandleOf finds a handle's row, ErrNotFound when it is not projected.
func (r *Reader) HandleOf(ctx context.Context, id string) (*readmodel.Handle, error) {
	p, release := r.live.Acquire()
	defer release()
	return get[readmodel.Handle](ctx, r.store, p.Names().Handles, id)
}

// Attachment finds a file of an entry, ErrNotFound when there is none,
// crypt.ErrShredded when it was erased.
func (r *Reader) Attachment(ctx context.Context, entry string, index int) (*readmodel.Entry, channel.Attachment, error) {
	e, err := r.Entry(ctx, entry)
	if err != nil {
		return nil, channel.Attachment{}, err
	}
	c, err := r.view.Content(ctx, e)
	if err != nil {
		return nil, channel.Attachment{}, err
	}
	if index < 0 || index >= len(c.Attachments) {
		return nil, channel.Attachment{}, ErrNotFound
	}
	return e, c.Attachments[index], nil
}
