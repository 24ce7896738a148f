package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/envelope"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// Headers of a message in IN.
const (
	headerKind = "Wl-Kind"  // "input" or "receipt"
	headerID   = "Wl-Input" // keyed hash of the provider's id; binds the ciphertext
)

const (
	kindInput   = "input"
	kindReceipt = "receipt"
)

func aad(kind, id string) []byte { return []byte("in/" + kind + "/" + id) }

// inputHead is everything of a channel.Raw but its body. Stored: names stay.
type inputHead struct {
	Tenant      string    `json:"tenant"`
	Channel     string    `json:"channel"`
	Inbox       string    `json:"inbox"`
	ProviderID  string    `json:"provider_id"`
	PeekKind    string    `json:"peek_kind,omitempty"`
	PeekAddress string    `json:"peek_address,omitempty"`
	PeekScope   string    `json:"peek_scope,omitempty"`
	PeekName    string    `json:"peek_name,omitempty"`
	ReceivedAt  time.Time `json:"received_at"`
	ContentType string    `json:"content_type,omitempty"`
	Blob        string    `json:"blob,omitempty"` // key of the body when it is not inline

	Via map[string]string `json:"via,omitempty"`
}

// receiptHead is a channel.Receipt. Stored: names stay.
type receiptHead struct {
	Tenant   string `json:"tenant"`
	Channel  string `json:"channel"`
	Inbox    string `json:"inbox"`
	Outbound string `json:"outbound,omitempty"`

	To         channel.Address `json:"-"` // refused: nothing here is sealed
	Customer   string          `json:"customer,omitempty"`
	State      channel.State   `json:"state"`
	ProviderID string          `json:"provider_id,omitempty"`
	Detail     string          `json:"detail,omitempty"`
	At         time.Time       `json:"at"`
	Attempt    int             `json:"attempt,omitempty"`
}

// encode writes the JSON head and the raw body behind it.
func (e *entry) encode() ([]byte, error) {
	if e.receipt != nil {
		head, err := json.Marshal(receiptHead(*e.receipt))
		if err != nil {
			return nil, fmt.Errorf("encode receipt: %w", err)
		}
		return envelope.Join(head, nil), nil
	}
	r := e.raw
	head, err := json.Marshal(inputHead{
		Tenant: r.Tenant, Channel: r.Channel, Inbox: r.Inbox, ProviderID: r.ProviderID,
		PeekKind: r.Peek.Kind, PeekAddress: r.Peek.Address, PeekScope: r.Peek.Scope, PeekName: r.Peek.Name,
		ReceivedAt: r.ReceivedAt.UTC(), ContentType: r.ContentType, Blob: e.blob, Via: r.Via,
	})
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	if e.blob != "" {
		return envelope.Join(head, nil), nil
	}
	return envelope.Join(head, r.Body), nil
}

// Input is what a message in IN holds: exactly one of Raw and Receipt is set.
type Input struct {
	Raw     *channel.Raw
	Receipt *channel.Receipt
	// Ref finds the input again, for Open: "in/<partition>/<sequence>".
	Ref string
}

// Decode opens a message of IN: its metadata as a natsbus.Subscriber gives
// them, and its payload. Errors: crypt.ErrShredded when it was erased
// (acknowledge it), a permanent error (natsbus.Permanent) when it can never be
// read; others are temporary.
func Decode(ctx context.Context, keys crypt.Keyring, blobs blob.Store, headers map[string]string, data []byte) (Input, error) {
	in := Input{Ref: ref(headers)}
	kind := headers[headerKind]
	head, body, err := unseal(ctx, keys, headers, data)
	if err != nil {
		return in, err
	}
	switch kind {
	case kindReceipt:
		var h receiptHead
		if err := json.Unmarshal(head, &h); err != nil {
			return in, natsbus.Permanent(fmt.Errorf("decode receipt: %w", err))
		}
		r := channel.Receipt(h)
		in.Receipt = &r
	case kindInput:
		var h inputHead
		if err := json.Unmarshal(head, &h); err != nil {
			return in, natsbus.Permanent(fmt.Errorf("decode input: %w", err))
		}
		if h.Blob != "" {
			if body, err = blobs.Get(ctx, h.Blob); err != nil {
				return in, fmt.Errorf("read body of input: %w", err)
			}
		}
		in.Raw = &channel.Raw{
			Tenant: h.Tenant, Channel: h.Channel, Inbox: h.Inbox, ProviderID: h.ProviderID,
			Peek:       channel.Address{Kind: h.PeekKind, Address: h.PeekAddress, Scope: h.PeekScope, Name: h.PeekName},
			ReceivedAt: h.ReceivedAt, ContentType: h.ContentType, Body: body, Via: h.Via,
		}
	default:
		return in, natsbus.Permanent(fmt.Errorf("decode input: kind %q is unknown", kind))
	}
	return in, nil
}

// unseal gives the JSON head of a message of IN, and what is behind it.
func unseal(ctx context.Context, keys crypt.Keyring, headers map[string]string, data []byte) (head, body []byte, err error) {
	kind := headers[headerKind]
	sealed, err := envelope.Unmarshal(data)
	if err != nil {
		return nil, nil, natsbus.Permanent(fmt.Errorf("decode input: %w", err))
	}
	plain, err := keys.Open(ctx, sealed, aad(kind, headers[headerID]))
	if err != nil {
		return nil, nil, fmt.Errorf("decrypt %s: %w", kind, err)
	}
	if head, body, err = envelope.Cut(plain); err != nil {
		return nil, nil, natsbus.Permanent(fmt.Errorf("decode %s: %w", kind, err))
	}
	return head, body, nil
}

func ref(headers map[string]string) string {
	p, ok := strings.CutPrefix(headers[natsbus.MetaStream], "IN-")
	if !ok {
		return ""
	}
	return "in/" + p + "/" + headers[natsbus.MetaSeq]
}

// ErrNoInput: a reference leads to nothing, or to something that is no input.
var ErrNoInput = errors.New("no such input")

// Open reads an original again by its reference. Errors: ErrNoInput,
// crypt.ErrShredded when it was erased.
func (in *Intake) Open(ctx context.Context, ref string) (channel.Raw, error) {
	stream, seq, err := in.place(ref)
	if err != nil {
		return channel.Raw{}, err
	}
	m, err := in.bus.Read(ctx, stream, seq)
	if errors.Is(err, natsbus.ErrNoMessage) {
		return channel.Raw{}, fmt.Errorf("reference %q: %w", ref, ErrNoInput)
	}
	if err != nil {
		return channel.Raw{}, err
	}
	got, err := Decode(ctx, in.keys, in.blobs, m.Metadata, m.Payload)
	if err != nil {
		return channel.Raw{}, err
	}
	if got.Raw == nil {
		return channel.Raw{}, fmt.Errorf("reference %q is a receipt: %w", ref, ErrNoInput)
	}
	return *got.Raw, nil
}

// place of an original.
func (in *Intake) place(ref string) (stream string, seq uint64, err error) {
	f := strings.Split(ref, "/")
	if len(f) == 3 && f[0] == "in" {
		p, err1 := strconv.Atoi(f[1])
		seq, err2 := strconv.ParseUint(f[2], 10, 64)
		if err1 == nil && err2 == nil && p >= 0 && p < in.cfg.Partitions && seq > 0 {
			return subject.InStream(p), seq, nil
		}
	}
	return "", 0, fmt.Errorf("reference %q: %w", ref, ErrNoInput)
}
