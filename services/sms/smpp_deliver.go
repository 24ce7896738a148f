package sms

import (
	"context"
	"mime"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/sms/smpp"
)

// deliver takes what the SMSC hands over. It is answered with OK only when it
// is stored: a message in the hub, a part of one or a receipt in the state.
func (k *link) deliver(ctx context.Context, session string, p smpp.PDU) (status smpp.Status) {
	defer func() {
		if v := recover(); v != nil { // one bad message harms itself alone
			k.a.log.Error("a message of the SMSC could not be taken", "inbox", k.inbox, "panic", v)
			status = smpp.TemporaryApp
		}
	}()
	m, err := smpp.Decode(p.Body)
	switch {
	case err != nil: // kept and shown as one that could not be read
		err = k.accept(ctx, "pdu-"+k.contentName(p.Body), "", p.Bytes())
	case m.IsReceipt() && names(m):
		err = k.receipt(ctx, m)
	case concat(m).Sound():
		err = k.part(ctx, session, m, p)
	default:
		var id string
		if id, err = k.name(ctx, session, m, p); err == nil {
			err = k.accept(ctx, id, k.from(m), p.Bytes())
		}
	}
	if err != nil {
		k.a.log.Error("a message of the SMSC could not be stored", "inbox", k.inbox, "error", err)
		return smpp.TemporaryApp // it comes again
	}
	k.a.deps.Inboxes.SetHealth(k.inbox, inbox.Health{LastIn: k.a.now().UTC()})
	return smpp.OK
}

// names says whether a receipt names a message. One that does not is shown as
// what it says: better odd than lost.
func names(m smpp.Message) bool {
	_, ok := smpp.ReadReceipt(m)
	return ok
}

// accept stores PDUs as one input.
func (k *link) accept(ctx context.Context, id, from string, pdus []byte) error {
	raw := channel.Raw{
		Channel: Name, Inbox: k.inbox, ProviderID: id, ReceivedAt: k.a.now().UTC(), Body: pdus,
		ContentType: mime.FormatMediaType(contentType, map[string]string{"provider": providerSMPP, "region": k.cfg.numbers.Region}),
	}
	if from != "" {
		raw.Peek = address(k.cfg.numbers, k.inbox, from)
	}
	return k.a.deps.Intake.Accept(ctx, raw)
}

func (k *link) from(m smpp.Message) string { return written(m.Source) }

// written is a number as its TON means it.
func written(a smpp.Address) string {
	if a.TON == smpp.TONInternational && digitsOnly(a.Addr) {
		return "+" + a.Addr
	}
	return a.Addr
}
