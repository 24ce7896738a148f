package email

import (
	"strings"

	"github.com/emersion/go-imap/v2"
)

// A mailbox that several inboxes read is shared out by recipient (only_to): a
// mail belongs to the inbox that names the first of the addresses it was
// written to, and to the inboxes without only_to when none does. So it is taken
// in once, whatever number of our addresses it names.

// mine says whether a mail of this mailbox belongs to the inbox.
func (r *receiver) mine(h header, shared []sharer) bool {
	for _, a := range writtenTo(h) {
		for _, s := range shared {
			if s.only.has(a) {
				return s.inbox == r.inbox.ID
			}
		}
	}
	return len(r.config.onlyTo) == 0
}

// sharer is an inbox that takes some of a mailbox.
type sharer struct {
	inbox string
	only  ownList
}

// sharers lists, by id, the inboxes that take only some of the mailbox this
// one reads, itself included.
func (r *receiver) sharers() []sharer {
	var out []sharer
	for _, in := range r.svc.inboxes.List(ChannelName) {
		only := commas(in.Settings["only_to"])
		if len(only) == 0 {
			continue
		}
		c, err := readConfig(in.Settings)
		if in.ID == r.inbox.ID || err == nil && sameMailbox(c.imap, r.config.imap) {
			out = append(out, sharer{inbox: in.ID, only: only})
		}
	}
	return out
}

func sameMailbox(a, b server) bool {
	return strings.EqualFold(a.host, b.host) && a.port == b.port && strings.EqualFold(a.username, b.username)
}

// pick returns those of fetched headers' mails that belong to the inbox.
func (r *receiver) pick(mails []listed, headers map[imap.UID][]byte, shared []sharer) []listed {
	var out []listed
	for _, m := range mails {
		h, _, _ := splitHeader(headers[m.uid])
		if r.mine(h, shared) {
			out = append(out, m)
			continue
		}
		r.svc.metrics.passed.Inc()
	}
	return out
}
