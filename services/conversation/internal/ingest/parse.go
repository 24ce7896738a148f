package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// parse reads a stored input. Whatever the parser does, a panic included, is
// an error of this input alone.
func (h *Handler) parse(raw channel.Raw) (items []channel.Item, err error) {
	p, ok := h.Parsers(raw.Channel)
	if !ok {
		return nil, fmt.Errorf("channel %s is not known", raw.Channel)
	}
	defer func() {
		if r := recover(); r != nil {
			items, err = nil, fmt.Errorf("parser panicked: %v", r)
		}
	}()
	items, err = p.Parse(raw)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, errors.New("nothing was found in it")
	}
	for _, item := range items {
		n := 0
		for _, is := range []bool{item.Message != nil, item.Receipt != nil, item.Change != nil} {
			if is {
				n++
			}
		}
		if n != 1 {
			return nil, errors.New("parser gave an item that is not one message, receipt or change")
		}
		if c := item.Change; c != nil && (c.ID == "" || c.Target == "" || !slices.Contains(actions, c.Action)) {
			return nil, errors.New("parser gave a change without an id, a target or a known action")
		}
	}
	return items, nil
}

// placeholderID is the message id of an input that could not be read. It
// differs from every parsed message's, because those get their id from the parser.
func (h *Handler) placeholderID(raw channel.Raw) string {
	return h.Keys.Hash("unparsed", raw.Tenant, raw.Channel, raw.Inbox, h.identity(raw))
}

// identity is what an input keeps when its provider gives it again.
func (h *Handler) identity(raw channel.Raw) (id string) {
	p, ok := h.Parsers(raw.Channel)
	if !ok {
		return raw.ProviderID
	}
	named, ok := p.(channel.Identifier)
	if !ok {
		return raw.ProviderID
	}
	defer func() {
		if recover() != nil { // the input is unread because of something like it
			id = raw.ProviderID
		}
	}()
	return named.Identify(raw)
}

// unparsed is the placeholder: who sent it as far as a peek showed, and the original to download.
func (h *Handler) unparsed(raw channel.Raw, cause error) channel.Message {
	m := channel.Message{
		From:    h.sender(raw, raw.Peek),
		Content: channel.Content{Unparsed: "could not be read: " + limit(cause.Error(), 300)},
		Flags:   []string{flagUnparsed},
	}
	// The original stays, sealed, until it can be read: then it is masked too.
	kinds := h.Mask(raw.Inbox)
	m.Content, _ = kinds.Content(m.Content)
	m.From.Name, _ = kinds.Text(m.From.Name)
	return m
}

const flagUnparsed = "unparsed"

// KindUnknown is the kind of a sender nobody could name.
const KindUnknown = "unknown"

// sender is the address of the input's sender; without one, the input is its own sender.
func (h *Handler) sender(raw channel.Raw, a channel.Address) channel.Address {
	if a.Kind == "" || strings.TrimSpace(a.Address) == "" {
		return channel.Address{Kind: KindUnknown, Scope: raw.Inbox, Address: raw.Channel + "/" + h.identity(raw)}
	}
	return a
}

// limit cuts s to n characters and drops what is not valid UTF-8.
func limit(s string, n int) string {
	r := []rune(strings.ToValidUTF8(s, ""))
	return string(r[:min(len(r), n)])
}
