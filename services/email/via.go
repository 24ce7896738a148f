package email

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Keys of channel.Raw.Via of a mail that was handed to us, not fetched.
const (
	ViaBy     = "by"        // ViaSMTP, ViaLMTP or ViaWebhook
	ViaClient = "client"    // IP address of who connected, or by the provider's word did
	ViaHelo   = "helo"      // the name he said
	ViaFrom   = "mail_from" // envelope sender; empty for reports and automatic mail
	ViaTo     = "rcpt_to"   // envelope recipients of this inbox, each on a line
	ViaTLS    = "tls"       // version of TLS, where there was any
)

// Values of ViaBy.
const (
	ViaSMTP    = "smtp"    // our listener, which anybody may connect to
	ViaLMTP    = "lmtp"    // our listener, for our own mail server alone
	ViaWebhook = "webhook" // the inbox's provider
)

// Values of the setting receive: by which way the mail of an inbox comes.
const (
	ReceiveIMAP     = "imap"
	ReceiveListener = "listener"
	ReceiveWebhook  = "webhook"
)

var receiveSetting = inbox.Setting{
	Key: "receive", Label: "Mail comes", Default: ReceiveIMAP, Values: []string{ReceiveIMAP, ReceiveWebhook, ReceiveListener}, Group: groupIn,
	Help:  "The hub fetches it from a mailbox; or a provider receives it and posts it here; or your mail server delivers it to this hub by SMTP or LMTP, for which an operator sets email.listen in the configuration file.",
	Words: map[string]string{ReceiveIMAP: "From a mailbox (IMAP)", ReceiveWebhook: "By webhook from SES, Mailgun, SendGrid or Postmark", ReceiveListener: "To this hub's own listener (SMTP, LMTP)"},
}

// Received is the input that a mail becomes which was handed to us. provider names
// it for ever where its provider does; empty: its content and the way it came do, so
// that a mail brought again after a lost answer is one.
func Received(inboxID, provider string, mail []byte, via map[string]string) channel.Raw {
	if provider == "" {
		sum := sha256.New()
		sum.Write(mail)
		// A copy that somebody else brings first must not stand in the way of the original.
		for _, s := range []string{via[ViaBy], via[ViaClient], via[ViaFrom]} {
			sum.Write([]byte("\x00" + s))
		}
		provider = via[ViaBy] + "/" + hex.EncodeToString(sum.Sum(nil)[:16])
	}
	return channel.Raw{Channel: ChannelName, Inbox: inboxID, ProviderID: provider, Peek: peek(mail), ContentType: ContentType, Body: mail, Via: via}
}

// stranger is the address of a client that is none of our mail servers: everything in the mail is his to write.
// ok is false for mail that was fetched, and for what a server of ours handed over.
func stranger(raw channel.Raw, mx mailServers) (client netip.Addr, ok bool) {
	if raw.Via[ViaBy] != ViaSMTP {
		return netip.Addr{}, false
	}
	client, err := netip.ParseAddr(raw.Via[ViaClient])
	if err != nil {
		return netip.Addr{}, false // a socket on this machine
	}
	client = client.Unmap().WithZone("")
	return client, !client.IsLoopback() && !mx.has(client)
}

// envelope says who gave the mail to us or to our mail server, and for whom he said it
// was (RFC 7208 §2.3, §2.4). What the listener or the provider saw comes before what is written in the mail.
func envelope(raw channel.Raw, h header, mx mailServers) (client netip.Addr, sender string) {
	if c, ok := stranger(raw, mx); ok {
		return c, spfSender(raw.Via)
	}
	if raw.Via[ViaBy] == ViaWebhook {
		c, err := netip.ParseAddr(raw.Via[ViaClient])
		if err == nil {
			return c.Unmap().WithZone(""), spfSender(raw.Via)
		}
	}
	at, c, ok := border(h, mx)
	if !ok || len(mx.names) == 0 {
		return netip.Addr{}, ""
	}
	if raw.Via[ViaFrom] != "" {
		return c, raw.Via[ViaFrom]
	}
	return c, returnPath(h[:at])
}

// spfSender is the envelope sender, or of mail without one the client's own name.
func spfSender(via map[string]string) string {
	if via[ViaFrom] == "" && via[ViaHelo] != "" && !strings.ContainsAny(via[ViaHelo], "[]@") {
		return "postmaster@" + via[ViaHelo]
	}
	return via[ViaFrom]
}

// addressed adds the envelope's recipients to those the header names: blind copies name none.
func addressed(m *channel.Message, raw channel.Raw) {
	for to := range strings.SplitSeq(raw.Via[ViaTo], "\n") {
		known := to == ""
		for _, a := range m.To {
			known = known || handleid.Normalise("email", a.Address) == handleid.Normalise("email", to)
		}
		if !known && len(m.To) < MaxAddresses {
			m.To = append(m.To, channel.Address{Kind: "email", Address: to})
		}
	}
}
