package chat

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
)

// Parse reads a stored chat input.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads inputs of content type ContentType. It needs nothing.
type Parser struct{}

// Parse gives one message, or two where a form has two addresses.
//
// Assurance: 2 for a visitor who holds the token we gave his browser, 4 for a
// login the host vouches for. A typed e-mail address proves nothing and links nothing: it is named as said.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	if raw.ContentType != ContentType {
		return nil, fmt.Errorf("parse chat input: content type %q is not %s", raw.ContentType, ContentType)
	}
	var in input
	if err := json.Unmarshal(raw.Body, &in); err != nil {
		return nil, fmt.Errorf("parse chat input: %w", err)
	}
	if in.V != 1 {
		return nil, fmt.Errorf("parse chat input: version %d is not known", in.V)
	}
	if in.Address == "" || in.Visitor == "" || in.ClientID == "" {
		return nil, errors.New("parse chat input: visitor, address or client id is missing")
	}
	m := &channel.Message{
		ID: in.Visitor + "/" + in.ClientID, From: handle(raw.Inbox, in.Address), OccurredAt: in.At,
		Assurance: 2, Evidence: "visitor token", ClientID: in.ClientID,
	}
	switch in.Kind {
	case "message":
		m.Content = channel.Content{Text: in.Text, Attachments: in.Files, Quoted: in.Invite}
	case "email":
		m.Content.Text = "Left e-mail address " + in.Email + " for an answer (typed, not verified)."
		m.Flags = []string{flagOffline}
		m.ClaimsHandle = &channel.Address{Kind: "email", Address: in.Email} // by that flag it is said, not proven
	case "phone":
		m.Content.Text = "Left phone number " + in.Phone + " for an answer (typed, not verified)."
		m.Flags = []string{flagOffline}
		m.ClaimsHandle = &channel.Address{Kind: kindPhone, Address: in.Phone} // likewise
	case "form":
		if in.Form == nil || in.Login != nil || !in.Form.said() {
			return nil, errors.New("parse chat input: the form is missing")
		}
		return parseForm(*m, *in.Form), nil
	case "login":
		if in.Login == nil {
			return nil, errors.New("parse chat input: login is missing")
		}
		m.Content.Text = "This browser has logged in as " + in.Login.Sub + ". The earlier messages may be somebody else's."
		m.Flags = []string{flagAutomatic}
		return []channel.Item{{Message: m}}, nil // claimed only: the handle stays anonymous
	default:
		return nil, fmt.Errorf("parse chat input: kind %q is not known", in.Kind)
	}
	if l := in.Login; l != nil {
		m.From.Name = l.Name
		if m.From.Name == "" {
			m.From.Name = l.Email
		}
		m.Assurance, m.Evidence = 4, fmt.Sprintf("jwt kid=%s sub=%s", l.Kid, l.Sub)
		m.ClaimsHandle = claimed(raw.Inbox, *l)
	}
	return []channel.Item{{Message: m}}, nil
}

// claimed is the other address a login proves: the e-mail address, if the host
// says that it has verified it (an unverified one is anybody's to type, and
// would hand its owner's history to a stranger), else the host's own id of the visitor.
func claimed(inbox string, l inputLogin) *channel.Address {
	if l.Verified && l.Email != "" {
		return &channel.Address{Kind: "email", Address: l.Email, Name: l.Name}
	}
	return &channel.Address{Kind: KindExternal, Scope: inbox, Address: l.Sub, Name: l.Name}
}
