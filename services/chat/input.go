package chat

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// input is the stored form of what a visitor did. The hub writes it, never the
// visitor. Fields are for ever: stored inputs are parsed again years later.
type input struct {
	V        int                  `json:"v"`    // 1
	Kind     string               `json:"kind"` // message, email, phone, form, login
	Visitor  string               `json:"visitor"`
	Address  string               `json:"address"` // of the handle
	ClientID string               `json:"client_id,omitempty"`
	Text     string               `json:"text,omitempty"`
	Files    []channel.Attachment `json:"files,omitempty"`
	Email    string               `json:"email,omitempty"`  // typed, kind email
	Phone    string               `json:"phone,omitempty"`  // typed, kind phone
	Form     *inputForm           `json:"form,omitempty"`   // kind form
	Invite   string               `json:"invite,omitempty"` // what the widget had said by itself, kind message
	Login    *inputLogin          `json:"login,omitempty"`
	At       time.Time            `json:"at"`
}

type inputLogin struct {
	Kid   string `json:"kid"`
	Sub   string `json:"sub"`
	Email string `json:"email,omitempty"`
	// Verified: the host has proven Email. Inputs from before the field have it false.
	Verified bool   `json:"email_verified,omitempty"`
	Name     string `json:"name,omitempty"`
}

// raw wraps an input. The provider id is the browser's own (visitor and client
// id), not the handle's: a message resent after a login is still the same one.
func (in input) raw(inbox string) (channel.Raw, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return channel.Raw{}, fmt.Errorf("encode chat input: %w", err)
	}
	return channel.Raw{
		Channel: Name, Inbox: inbox,
		ProviderID: in.Visitor + "/" + in.ClientID,
		Peek:       handle(inbox, in.Address),
		ReceivedAt: in.At, ContentType: ContentType, Body: b,
	}, nil
}

// handle is the channel address of a visitor.
func handle(inbox, address string) channel.Address {
	return channel.Address{Kind: Name, Scope: inbox, Address: address}
}

// loginAddress is the handle address of everybody who is logged in as sub.
func loginAddress(sub string) string { return "sub:" + sub }
