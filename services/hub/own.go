package main

import (
	"slices"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/meta"
	"github.com/weftline/weftline/services/sms"
)

// ownAddress says whether what is sent to an address comes to one of our
// inboxes: nobody is recognised by it, and no proof is sent to it.
func (h *hub) ownAddress(a channel.Address) bool {
	want := handleid.Normalise(a.Kind, a.Address)
	switch a.Kind {
	case "email":
		return slices.ContainsFunc(h.book.List(email.ChannelName), func(in inbox.Inbox) bool {
			return email.Owns(in.Settings, a.Address)
		})
	case sms.KindPhone:
		return h.ownNumber(want, sms.Name, sms.Number) || h.ownNumber(want, meta.WhatsApp, meta.WhatsAppNumber)
	}
	return false
}

// ownNumber looks through a channel's own numbers, each read where its inbox is.
func (h *hub) ownNumber(want, channelName string, number func(map[string]string) (string, handleid.Normaliser)) bool {
	return slices.ContainsFunc(h.book.List(channelName), func(in inbox.Inbox) bool {
		own, numbers := number(in.Settings)
		return own != "" && numbers.Normalise(sms.KindPhone, own) == want
	})
}
