package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/mask"
)

// FlagMasked: cards or secrets were taken out of what arrived, before it was
// stored. The original is not kept.
const FlagMasked = "masked"

// Originals destroys what arrived.
type Originals interface {
	// Remove is for good; an original that is gone already is no error.
	Remove(ctx context.Context, ref string) error
}

// redaction is what masking did to an input.
type redaction struct {
	hit bool // the original has to go, and everything still needed of it is kept elsewhere
	// files of a message by their place among its attachments: what has to be kept of them.
	files map[*channel.Message]map[int][]byte
	// replaced are blobs that hold what was masked.
	replaced []string
}

// redact masks the items of an input where its inbox asks for it.
func (h *Handler) redact(ctx context.Context, raw channel.Raw, items []channel.Item) (r redaction, err error) {
	kinds := h.Mask(raw.Inbox)
	if kinds == mask.None {
		return r, nil
	}
	r.files = map[*channel.Message]map[int][]byte{}
	for _, item := range items {
		hit := false
		if item.Receipt != nil {
			item.Receipt.Detail, hit = kinds.Text(item.Receipt.Detail)
		} else if hit, err = h.redactMessage(ctx, kinds, raw, item.Message, &r); err != nil {
			return r, err
		}
		r.hit = r.hit || hit
	}
	if !r.hit {
		return redaction{}, nil
	}
	for _, item := range items {
		if m := item.Message; m != nil {
			m.Flags = append(slices.Clone(m.Flags), FlagMasked)
			h.keepParts(raw, m, r.files[m])
		}
	}
	return r, nil
}

func (h *Handler) redactMessage(ctx context.Context, kinds mask.Kinds, raw channel.Raw, m *channel.Message, r *redaction) (hit bool, err error) {
	m.Content, hit = kinds.Content(m.Content)
	name, named := kinds.Text(m.From.Name)
	m.From.Name = name
	hit = hit || named
	files := map[int][]byte{}
	r.files[m] = files
	for i, a := range m.Content.Attachments {
		if !textual(a) {
			continue
		}
		data, ok, err := h.open(ctx, raw, a)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		masked, changed := kinds.Text(string(data))
		hit = hit || changed
		if a.Blob == "" || changed {
			files[i] = []byte(masked)
		}
		if a.Blob != "" && changed {
			r.replaced = append(r.replaced, a.Blob)
		}
	}
	return hit, nil
}

// textual files are looked into; in others a number would not be found anyway.
func textual(a channel.Attachment) bool {
	kind, _, err := mime.ParseMediaType(a.ContentType)
	if err != nil {
		kind = strings.ToLower(a.ContentType)
	}
	if strings.HasPrefix(kind, "text/") || kind == "message/rfc822" || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml") {
		return true
	}
	name := strings.ToLower(a.Name)
	return slices.ContainsFunc([]string{".txt", ".csv", ".log", ".har", ".json", ".pem", ".key", ".eml", ".html", ".htm", ".xml", ".md"}, func(ext string) bool { return strings.HasSuffix(name, ext) })
}

// open reads a file of an input. false: it cannot be had, now and later.
func (h *Handler) open(ctx context.Context, raw channel.Raw, a channel.Attachment) (data []byte, ok bool, err error) {
	if a.Blob != "" {
		data, err := h.Blobs.Get(ctx, a.Blob)
		if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrCorrupt) || errors.Is(err, crypt.ErrShredded) {
			return nil, false, nil // most likely replaced before: the input came again
		}
		if err != nil {
			return nil, false, fmt.Errorf("read an attached file: %w", err)
		}
		return data, true, nil
	}
	opener, known := h.Parts(raw.Channel)
	if !known || a.Part == "" {
		return nil, false, nil
	}
	defer func() {
		if recover() != nil { // as with Parse: of this file alone
			data, ok, err = nil, false, nil
		}
	}()
	data, _, perr := opener.OpenPart(raw, a.Part)
	return data, perr == nil, nil
}

// keepParts takes the files that are parts of the original out of it.
func (h *Handler) keepParts(raw channel.Raw, m *channel.Message, files map[int][]byte) {
	for i, a := range m.Content.Attachments {
		if _, done := files[i]; done || a.Part == "" || a.Blob != "" {
			continue
		}
		if data, ok, _ := h.open(context.Background(), raw, a); ok {
			files[i] = data
		}
	}
}

// keepCut makes files of what shrink left out: there is no original any more
// to find it in.
func keepCut(whole, shown channel.Content, files map[int][]byte) channel.Content {
	if len(shown.Attachments) < len(whole.Attachments) {
		shown.Attachments = whole.Attachments
		shown.Text = limit(shown.Text, 10_000) // makes room for their names
	}
	shown.Attachments = slices.Clone(shown.Attachments)
	for _, cut := range []struct{ name, kind, whole, shown string }{
		{"message.txt", "text/plain", whole.Text, shown.Text},
		{"quoted.txt", "text/plain", whole.Quoted, shown.Quoted},
		{"message.html", "text/html", whole.HTML, shown.HTML},
	} {
		if cut.whole != cut.shown {
			files[len(shown.Attachments)] = []byte(cut.whole)
			shown.Attachments = append(shown.Attachments, channel.Attachment{Name: cut.name, ContentType: cut.kind, Size: int64(len(cut.whole))})
		}
	}
	return shown
}

// keepFiles stores files under the key of a unit, and lists them as blobs.
// What a failed attempt leaves costs space only, and goes with the unit's key.
func (h *Handler) keepFiles(ctx context.Context, unit string, list []channel.Attachment, files map[int][]byte) ([]channel.Attachment, error) {
	list = slices.Clone(list)
	for i, data := range files {
		if i >= len(list) {
			continue
		}
		key, size, err := h.Blobs.Put(ctx, unit, bytes.NewReader(data), blob.MaxSize)
		if err != nil {
			return nil, fmt.Errorf("keep an attached file: %w", err)
		}
		list[i].Part, list[i].Blob, list[i].Size = "", key, size
	}
	return list, nil
}

// forget destroys the original of a masked input, once everything in it is
// stored. It may come any number of times.
func (h *Handler) forget(ctx context.Context, in Input, r redaction, done []stored) error {
	for _, s := range done {
		needed, err := h.needs(ctx, in, s)
		if err != nil {
			return err
		}
		if needed {
			h.Log.Warn("the original stays: it was stored before its inbox asked for masking", "inbox", in.Raw.Inbox, "ref", in.Ref)
			return nil
		}
	}
	for _, key := range r.replaced {
		if err := h.Blobs.Delete(ctx, key); err != nil {
			return fmt.Errorf("remove a file with secrets: %w", err)
		}
	}
	if err := h.Originals.Remove(ctx, in.Ref); err != nil {
		return fmt.Errorf("remove a masked original: %w", err)
	}
	return nil
}

// needs says whether a message still refers to the original: it was stored
// from it without being masked, when its inbox did not ask for that yet.
func (h *Handler) needs(ctx context.Context, in Input, s stored) (bool, error) {
	if s.appended {
		return false, nil
	}
	c, ok, err := h.Customers.Find(ctx, in.Raw.Tenant, s.customer, "msg:"+s.id)
	if err != nil || !ok {
		return false, err
	}
	events, err := codec.Decode(c)
	if err != nil {
		return false, err
	}
	for _, e := range events {
		if m, ok := e.(event.MessageReceived); ok && m.Message == s.id {
			return m.Raw == in.Ref && !slices.Contains(m.Flags, FlagMasked), nil
		}
	}
	return false, nil
}
