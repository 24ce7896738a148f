package sms

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
)

const doubtCollection = "sms_doubts"

// doubts remember sends of which nobody knows the end. One is written before a
// send and removed after a clear answer, so that it is there after a crash.
type doubts struct {
	store    docstore.Store // nil: nothing is remembered
	mu       sync.Mutex
	declared bool
}

func (d *doubts) begin(ctx context.Context, id string) error {
	return d.apply(ctx, docstore.Op{Collection: doubtCollection, Doc: docstore.Doc{ID: id, JSON: []byte("{}")}})
}

func (d *doubts) end(ctx context.Context, id string) error {
	return d.apply(context.WithoutCancel(ctx), docstore.Op{Collection: doubtCollection, Doc: docstore.Doc{ID: id}, Delete: true})
}

func (d *doubts) there(ctx context.Context, id string) (bool, error) {
	if d.store == nil {
		return false, nil
	}
	if err := d.declare(ctx); err != nil {
		return false, err
	}
	_, err := d.store.Get(ctx, doubtCollection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (d *doubts) apply(ctx context.Context, op docstore.Op) error {
	if d.store == nil {
		return nil
	}
	if err := d.declare(ctx); err != nil {
		return err
	}
	if err := d.store.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("note a send: %w", err)
	}
	return nil
}

func (d *doubts) declare(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.declared {
		return nil
	}
	if err := d.store.Declare(ctx, docstore.Collection{Name: doubtCollection}); err != nil {
		return fmt.Errorf("declare sends: %w", err)
	}
	d.declared = true
	return nil
}

const detailUnsure = "whether the first attempt arrived is not known, and a second one could be read twice: try again if you want that"

// unsure decides about a message of which an earlier attempt may have arrived.
// Not done: it is to be sent now.
func (a *Adapter) unsure(ctx context.Context, c config, out channel.Outbound) (_ channel.Receipt, done bool, _ error) {
	if l, can := providers[c.provider].(looker); can {
		r, err := l.look(ctx, a, c, out)
		switch {
		case err == nil && r.State != "":
			return r, true, a.doubts.end(ctx, out.ID)
		case err == nil:
			return r, false, nil
		case ctx.Err() != nil:
			return r, true, ctx.Err()
		}
	}
	doubt, err := a.doubts.there(ctx, out.ID)
	if err != nil || !doubt {
		return channel.Receipt{}, err != nil, err
	}
	if err := a.doubts.end(ctx, out.ID); err != nil {
		return channel.Receipt{}, true, err
	}
	r, err := hosted.Result(out, a.now(), "", hosted.ErrUnknown)
	r.Detail = detailUnsure
	return r, true, err
}

// looker is a provider that can be asked what became of a send.
type looker interface {
	look(ctx context.Context, a *Adapter, c config, out channel.Outbound) (channel.Receipt, error)
}

// looking is a sender that can be asked.
type looking struct{ *Adapter }

var _ channel.Looker = looking{}

// Look implements channel.Looker.
func (l looking) Look(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := l.config(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	if c.provider == providerSMPP {
		return l.lookSMPP(ctx, out)
	}
	p, can := providers[c.provider].(looker)
	if !can {
		return channel.Receipt{}, fmt.Errorf("%s cannot be asked", c.provider)
	}
	return p.look(ctx, l.Adapter, c, out)
}
