// Package ingest turns what arrived into what happened.
//
//	input ─► Parse ─► Verify ─► message ─► handle: who owns it? claim it if nobody does; settle it after a move
//	           │          │                    └─► customer: Receive ─► one commit: created, attached, opened, received
//	           │          ├─► receipt ─► customer: Progress
//	           │          ├─► change ─► its sender's handle and customer, as for a message: Change
//	           │          ├─► files the provider keeps are fetched; what cannot be had is said
//	           │          ├─► masked where the inbox asks for it; then the original is destroyed behind it
//	           │          └─► all of it known before, from another original: this one is destroyed
//	           └─ error or panic ─► a placeholder that keeps the original; the others flow on
//
// Every step is idempotent by its commit id, so an input may come any number
// of times and may be cut off anywhere.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/settle"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/mask"
)

// Input is one thing from the intake: Raw or Receipt is set.
type Input struct {
	Raw     *channel.Raw
	Receipt *channel.Receipt
	Ref     string // of the original, for download
	// Again: it was put back from POISON. Its original is there twice, and one body serves both.
	Again bool
	Trace string // W3C traceparent
}

// Deps are what a Handler works with.
type Deps struct {
	Customers *aggregate.Repository[customer.State]
	Claims    *claim.Claimer
	Keys      crypt.Keyring
	// Parsers finds the parser of a channel.
	Parsers  func(channel string) (channel.Parser, bool)
	Refs     Refs
	Replies  Replies
	Timeline aggregate.Timeline
	// Refuted says where a refuted message ever came. Nil: anywhere.
	Refuted *Refutations
	// Proofs hear what became of their letters. Nil: nobody does.
	Proofs Proofs
	// Copies hear what became of what was forwarded. Nil: nobody does.
	Copies Copies
	// Policy of an inbox; nil: DefaultPolicy for all.
	Policy func(inbox string) customer.Policy
	// Mask says what is masked of what comes into an inbox, before it is stored.
	// nil: nothing. It needs Originals, Blobs and Parts.
	Mask func(inbox string) mask.Kinds
	// Forgets says that an inbox keeps nothing of what a sender deletes; nil: none does.
	Forgets   func(inbox string) bool
	Originals Originals
	Blobs     blob.Store // nil: files that providers keep are not fetched
	// Parts finds who can open the parts of a channel's originals.
	Parts func(channel string) (channel.PartOpener, bool)

	NewID func() string    // ids of new conversations
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger
	// FetchTry and FetchFor bound the fetching of files that a provider keeps: each
	// try, and altogether since the input was received. 0: the defaults. It needs Blobs.
	FetchTry, FetchFor time.Duration
	// Underway is told of files while they are fetched, so that erasure finds those
	// whose message never came to be stored; nil: nothing is erased here.
	Underway Underway
	// Origins says from which original a message is; nil: its stream is read for that.
	Origins Origins
	// Discard removes an original that must not be kept; nil: nothing is erased here.
	Discard func(ctx context.Context, ref string) error
}

// DefaultPolicy: any open conversation is joined as long as somebody spoke in
// it within 14 days; a plain new message reopens a closed one for three days
// after the last word, then begins anew.
var DefaultPolicy = customer.Policy{Join: 14 * 24 * time.Hour, Reopen: 72 * time.Hour}

// Handler takes inputs in. Safe for concurrent use; inputs of one sender should
// come one after the other to keep their order.
type Handler struct {
	Deps
	settle   *settle.Settler
	fetching chan struct{}
}

// New makes a Handler.
func New(d Deps) (*Handler, error) {
	if d.Customers == nil || d.Claims == nil || d.Keys == nil || d.Parsers == nil ||
		d.Refs == nil || d.Replies == nil || d.Timeline == nil || d.NewID == nil || d.Log == nil {
		return nil, errors.New("ingest: a dependency is missing")
	}
	if d.Policy == nil {
		d.Policy = func(string) customer.Policy { return DefaultPolicy }
	}
	if d.Mask == nil {
		d.Mask = func(string) mask.Kinds { return mask.None }
	} else if d.Originals == nil || d.Blobs == nil || d.Parts == nil {
		return nil, errors.New("ingest: a dependency of masking is missing")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Forgets == nil {
		d.Forgets = func(string) bool { return false }
	}
	if d.FetchTry <= 0 {
		d.FetchTry = DefaultFetchTry
	}
	if d.FetchFor <= 0 {
		d.FetchFor = DefaultFetchFor
	}
	return &Handler{
		Deps: d, settle: settle.New(d.Claims, d.Customers, d.Timeline, d.Keys), fetching: make(chan struct{}, fetchers),
	}, nil
}

// PermanentError: trying again will not help.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }
func (e *PermanentError) Unwrap() error { return e.Err }

// Permanent marks the error for those who decide about retries.
func (e *PermanentError) Permanent() bool { return true }

// Handle takes one input in. It returns nil when everything in it is stored; a
// *PermanentError when it never can be; any other error may pass: call again.
// What cannot be parsed is no error: it is stored as a placeholder.
func (h *Handler) Handle(ctx context.Context, in Input) error {
	switch {
	case in.Receipt != nil:
		err := h.receipt(ctx, in, *in.Receipt, false)
		if errors.Is(err, errNothing) {
			h.dropped(in, *in.Receipt)
			err = h.discard(ctx, in.Ref)
		}
		return h.permanent(err)
	case in.Raw != nil:
		_, err := h.raw(ctx, in, true)
		return h.permanent(err)
	}
	return &PermanentError{errors.New("input is empty")}
}

// Reread parses an input again whose placeholder is shown, and hides the
// placeholder when it can be read now. An error says that it still cannot.
func (h *Handler) Reread(ctx context.Context, in Input) error {
	if in.Raw == nil {
		return &PermanentError{errors.New("only a raw input can be read again")}
	}
	into, err := h.raw(ctx, in, false)
	if err != nil {
		return h.permanent(err)
	}
	return h.permanent(h.retire(ctx, in, into))
}

// raw parses and stores. With placeholder, what cannot be parsed becomes one.
func (h *Handler) raw(ctx context.Context, in Input, placeholder bool) (messages []string, err error) {
	raw := *in.Raw
	if raw.Tenant == "" {
		raw.Tenant = subject.DefaultTenant
	}
	in.Raw = &raw
	if !subject.ValidToken(raw.Channel) || !subject.ValidToken(raw.Inbox) || raw.ProviderID == "" {
		return nil, &PermanentError{errors.New("input names no channel, inbox or provider id")}
	}
	items, err := h.parse(raw)
	if err != nil {
		if !placeholder {
			return nil, fmt.Errorf("read input again: %w", err)
		}
		h.Log.Warn("input could not be read", "channel", raw.Channel, "inbox", raw.Inbox, "ref", in.Ref, "error", err)
		done, err := h.message(ctx, in, h.unparsed(raw, err), nil)
		if err != nil {
			return nil, err
		}
		return nil, h.spare(ctx, in, []stored{done})
	}
	if items, err = h.verify(ctx, raw, items); err != nil {
		return nil, err
	}
	// What a change says goes the way of what a message says.
	for i, item := range items {
		if item.Change != nil {
			items[i].Message = said(item.Change)
		}
	}
	if items, err = h.fetch(ctx, in, items); err != nil {
		return nil, err
	}
	files := h.fetchedIn(raw, items)
	masked, err := h.redact(ctx, raw, items)
	if err != nil {
		return nil, err
	}
	var all []stored
	hide, told := false, false
	for _, item := range items {
		if item.Receipt != nil {
			err := h.receipt(ctx, in, *item.Receipt, true)
			if errors.Is(err, errNothing) {
				h.dropped(in, *item.Receipt)
				continue
			}
			if err != nil {
				return nil, err
			}
			told = true
			continue
		}
		if item.Change != nil {
			done, err := h.change(ctx, in, *item.Change, *item.Message, masked.files[item.Message])
			if err != nil {
				return nil, err
			}
			all = append(all, done)
			continue
		}
		done, err := h.message(ctx, in, *item.Message, masked.files[item.Message])
		if err != nil {
			return nil, err
		}
		messages, all = append(messages, done.id), append(all, done)
		hide = hide || done.state.SeenMessage(h.placeholderID(raw))
	}
	if hide && placeholder { // the same sender's placeholder: the parser was mended
		if err := h.retire(ctx, in, messages); err != nil {
			return messages, err
		}
	}
	if masked.hit {
		if err := h.forget(ctx, in, masked, all); err != nil {
			return messages, err
		}
	}
	if err := h.arrived(ctx, files); err != nil || !placeholder || masked.hit || told {
		return messages, err
	}
	return messages, h.spare(ctx, in, all)
}

func (h *Handler) permanent(err error) error {
	if err == nil {
		return nil
	}
	_, field := errors.AsType[*customer.FieldError](err)
	_, large := errors.AsType[*eventstore.TooLargeError](err)
	if field || large || errors.Is(err, crypt.ErrShredded) {
		return &PermanentError{err}
	}
	return err
}
