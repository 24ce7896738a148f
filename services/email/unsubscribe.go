package email

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/emersion/go-message/mail"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/inbox"
)

// UnsubscribeType is the content type of the input that a press on “unsubscribe” becomes; its body is the link's token.
const UnsubscribeType = "application/vnd.weftline.unsubscribe"

// UnsubscribePath is where links lead: below it stand the inbox and the token.
const UnsubscribePath = "/mail/unsubscribe/"

var unsubscribeSetting = inbox.Setting{
	Key: "unsubscribe", Label: "Offer to unsubscribe", Default: "yes", Values: []string{"yes", "no"}, Group: groupOut, Advanced: true,
	Help: "yes: mail with which we begin a conversation carries List-Unsubscribe (RFC 8058), and mail programs show a button. Whoever presses it gets nothing more from this inbox until he opts in again, except answers to what he writes himself. Needs a public_url with https.",
}

const purposeUnsubscribe = "email.unsubscribe"

var errNoLink = errors.New("not a link of ours")

// An unsubscription token names the mail it stood in and the address that mail went to:
//
//	<reply id>.<address, base64url>.<mac>
//
// It needs no login (RFC 8058 §3.1), lasts for ever, and says to nobody more than the mail
// itself did. Whoever has it was given the mail.
func (t tokens) unsubscribe(tenant, inboxID, reply, address string) string {
	mac := t.keys.MAC(purposeUnsubscribe, macData(tenant, inboxID, reply, address))
	return reply + "." + base64.RawURLEncoding.EncodeToString([]byte(address)) + "." + hex.EncodeToString(mac)
}

func (t tokens) readUnsubscribe(tenant, inboxID, token string) (reply, address string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || !ValidReplyID(parts[0]) {
		return "", "", errNoLink
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	mac, ok := lowerHex(parts[2])
	if err != nil || !ok || !t.keys.VerifyMAC(purposeUnsubscribe, macData(tenant, inboxID, parts[0], string(b)), mac) {
		return "", "", errNoLink
	}
	return parts[0], string(b), nil
}

// UnsubscribeToken is the token of the link in the mail with the reply id to an address.
// Senders make it themselves; this is for tools and tests.
func UnsubscribeToken(keys crypt.Keyring, tenant, inboxID, reply, address string) string {
	return tokens{keys}.unsubscribe(tenant, inboxID, reply, address)
}

// Unsubscription is the input that an opened link becomes, the same each time. ok: the link is ours.
func Unsubscription(keys crypt.Keyring, tenant, inboxID, token string) (channel.Raw, bool) {
	reply, address, err := tokens{keys}.readUnsubscribe(tenant, inboxID, token)
	if err != nil {
		return channel.Raw{}, false
	}
	return channel.Raw{
		Tenant: tenant, Channel: ChannelName, Inbox: inboxID, ProviderID: "unsubscribe/" + reply, ContentType: UnsubscribeType,
		Peek: channel.Address{Kind: "email", Address: address}, Body: []byte(token),
	}, true
}

// unsubscribed reads it: a message that says so and wakes nobody.
func (p *Parser) unsubscribed(raw channel.Raw) ([]channel.Item, error) {
	reply, address, err := p.tokens.readUnsubscribe(raw.Tenant, raw.Inbox, string(raw.Body))
	if err != nil {
		return nil, err
	}
	return []channel.Item{{Message: &channel.Message{
		ID: raw.ProviderID, From: channel.Address{Kind: "email", Address: address}, Assurance: 1, Evidence: "unsubscribe link of our mail",
		Content: channel.Content{Text: "Unsubscribed by the link in our mail."},
		Answers: reply, AnswersFromSame: true, Consent: channel.OptOutUnasked, Flags: []string{"automatic", flagAutoReply},
	}}}, nil
}

// offerUnsubscribe puts the link into mail that nobody asked for: not into answers. Without
// https there is none (RFC 8058 §3.1).
func (s *Service) offerUnsubscribe(h *mail.Header, c config, inboxID string, out channel.Outbound) {
	u, err := url.Parse(s.publicURL)
	if !c.unsubscribe || out.InReplyTo != "" || out.Automatic || err != nil || u.Scheme != "https" && !loopback(u.Hostname()) || u.Host == "" {
		return
	}
	link := s.publicURL + UnsubscribePath + inboxID + "/" + tokens{s.keys}.unsubscribe(out.Tenant, inboxID, out.ID, out.To.Address)
	h.Set("List-Unsubscribe", "<"+link+">")
	h.Set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
}
