package sms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/sms/gsm"
)

// refusedError: the provider will never take it.
type refusedError struct{ detail string }

func (e *refusedError) Error() string { return e.detail }

// Sender sends for one inbox; false: there is none such. Where the provider can be
// asked what became of a send it is a channel.Looker, too.
func (a *Adapter) Sender(id string) (channel.Sender, bool) {
	in, ok := a.deps.Inboxes.Get(id)
	if !ok || in.Channel != Name {
		return nil, false
	}
	name := strings.TrimSpace(in.Settings[keyProvider])
	if _, can := providers[name].(looker); can || name == providerSMPP {
		return looking{a}, true
	}
	return a, true
}

// Send counts the parts and gives the message to the provider of its inbox.
//
// Providers drop no repeated ids. So what may have been sent is looked up where
// the provider can be asked; elsewhere it stays unknown, once, and is sent again
// only when a person asks for it.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.config(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	if why := a.refuse(c, out); why != "" {
		return hosted.Failed(out, a.now(), why)
	}
	if c.provider == providerSMPP {
		return a.sendSMPP(ctx, c, out)
	}
	if out.Unknown {
		if r, done, err := a.unsure(ctx, c, out); done || err != nil {
			return r, err
		}
	}
	if err := a.doubts.begin(ctx, out.ID); err != nil {
		return channel.Receipt{}, err
	}
	id, err := providers[c.provider].send(ctx, a, c, out)
	receipt, err := a.outcome(out, id, err)
	if err != nil || receipt.State != channel.StateUnknown {
		if err := a.doubts.end(ctx, out.ID); err != nil {
			a.log.Warn("the end of a send was not noted", "inbox", out.Inbox, "error", err)
		}
	}
	return receipt, err
}

func (a *Adapter) outcome(out channel.Outbound, id string, err error) (channel.Receipt, error) {
	if refused, ok := errors.AsType[*refusedError](err); ok {
		return hosted.Failed(out, a.now(), refused.detail)
	}
	if err == nil {
		a.caller.Sent(out.Inbox)
	}
	return hosted.Result(out, a.now(), id, err)
}

// refuse says why a message cannot be sent at all; "": it can.
func (a *Adapter) refuse(c config, out channel.Outbound) string {
	size := gsm.Measure(out.Content.Text)
	if len(out.Content.Attachments) > 0 {
		if why := a.refuseFiles(c, out); why != "" {
			return why
		}
		size.Parts = 1 // an MMS has none
	} else if strings.TrimSpace(out.Content.Text) == "" {
		return "the text is empty"
	}
	switch {
	case size.Parts > c.parts && size.Coding == gsm.UCS2:
		return fmt.Sprintf("the text takes %d parts, at most %d are sent: it has letters beyond the GSM alphabet, so a part holds %d characters instead of %d", size.Parts, c.parts, gsm.PartUnits, gsm.PartSeptets)
	case size.Parts > c.parts:
		return fmt.Sprintf("the text takes %d parts, at most %d are sent", size.Parts, c.parts)
	case !dialled(out.To.Address) && !digitsOnly(out.To.Address):
		return "it came from a sender's name, which cannot be answered"
	}
	return ""
}

func (a *Adapter) config(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}

// call authorises and makes a request that sends.
func (a *Adapter) call(p provider, c config, out channel.Outbound, r *http.Request) (hosted.Reply, error) {
	p.authorise(c, r)
	reply, err := a.caller.Do(out.Inbox, r)
	switch {
	case err != nil:
		return reply, fmt.Errorf("send: %w", err)
	case reply.Status == http.StatusPaymentRequired:
		return reply, a.caller.Attention(out.Inbox, c.provider+" answers 402: the account has no credit")
	case reply.Status == http.StatusForbidden, reply.Status == http.StatusNotFound, reply.Status == http.StatusMethodNotAllowed:
		return reply, a.caller.Attention(out.Inbox, fmt.Sprintf("%s answers %d: account and API key belong together, and the account must be allowed to send", c.provider, reply.Status))
	}
	return reply, nil
}

// callback is where the provider reports on a message; "": it cannot reach us.
func (a *Adapter) callback(out channel.Outbound) string {
	if !strings.HasPrefix(a.deps.PublicURL, "https://") {
		return ""
	}
	return a.deps.PublicURL + hosted.HookPath(Name, out.Inbox)
}

// to is the receiver as providers write it that want no +.
func bare(number string) string { return strings.TrimPrefix(number, "+") }
