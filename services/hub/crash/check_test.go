package crash

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// check compares the ledger with what the hub shows. It returns every offence
// and is no part of the hub.
func check(l *ledger, d *dump) (offences []string) {
	bad := func(format string, args ...any) { offences = append(offences, fmt.Sprintf(format, args...)) }
	shown := map[string][]string{} // who → tokens in the timeline's order
	places := map[string]int{}     // token → entries
	owner := map[string]string{}   // who → customer
	inUse := map[string]bool{}     // conversations with entries
	for _, c := range d.customers {
		mine := map[string]bool{}
		for _, e := range c.entries {
			inUse[e.GetConversationId()] = true
			m := e.GetMessage()
			if m == nil {
				continue
			}
			mine[e.GetConversationId()] = true
			token := strings.TrimSpace(m.GetText())
			places[token]++
			if m.GetDirection() != inboxv1.Direction_DIRECTION_INBOUND {
				continue
			}
			who, _, _ := strings.Cut(strings.TrimPrefix(token, "said/"), "/")
			shown[who] = append(shown[who], token)
			if o := owner[who]; o != "" && o != c.GetId() {
				bad("%s is two customers", who)
			}
			owner[who] = c.GetId()
		}
		if len(c.GetHandles()) != 1 {
			bad("customer %s has %d handles", c.GetId(), len(c.GetHandles()))
		}
		if len(mine) != 1 {
			bad("customer %s has messages in %d conversations", c.GetId(), len(mine))
		}
	}
	checkSaid(l, shown, bad)
	checkReplies(l, d, places, bad)
	checkConversations(l, d, inUse, bad)
	checkTranscripts(l, d, bad)
	checkEvents(d, bad)
	return offences
}

// checkSaid: each accepted message exactly once, in its sender's order, and nothing else.
func checkSaid(l *ledger, shown map[string][]string, bad func(string, ...any)) {
	for _, who := range slices.Sorted(maps.Keys(l.said)) {
		var want []string
		for _, s := range l.said[who] {
			want = append(want, s.token())
		}
		if slices.Equal(shown[who], want) {
			continue
		}
		have := map[string]int{}
		for _, t := range shown[who] {
			have[t]++
		}
		ordered := true
		for _, t := range want {
			if have[t] != 1 {
				bad("%s is shown %d times", t, have[t])
				ordered = false
			}
			delete(have, t)
		}
		for t := range have {
			bad("%s was never accepted", t)
			ordered = false
		}
		if ordered {
			bad("messages of %s are shown in another order", who)
		}
	}
	for who := range shown {
		if l.said[who] == nil {
			bad("%s never said anything", who)
		}
	}
}

// checkReplies: each accepted reply in one entry, and sent once or shown as unknown.
func checkReplies(l *ledger, d *dump, places map[string]int, bad func(string, ...any)) {
	for token, id := range l.replies {
		if places[token] != 1 {
			bad("%s is shown %d times", token, places[token])
		}
		e := d.replies[id]
		if e == nil {
			bad("%s was accepted as an entry that is not shown", token)
			continue
		}
		n, state := d.sent[id], e.GetMessage().GetDelivery()
		if e.GetChannel() == "chat" {
			if state < inboxv1.DeliveryState_DELIVERY_STATE_SENT || state == inboxv1.DeliveryState_DELIVERY_STATE_FAILED {
				bad("%s is %s", token, state)
			}
			continue // checkTranscripts looks at what visitors see
		}
		most := 1
		if d.progress[id]["unknown"] {
			most = 2 // it was said so, and tried once more
		}
		switch {
		case state == inboxv1.DeliveryState_DELIVERY_STATE_SENT && n == 0:
			bad("%s is shown as sent, the server never took it", token)
		case state != inboxv1.DeliveryState_DELIVERY_STATE_SENT && state != inboxv1.DeliveryState_DELIVERY_STATE_UNKNOWN:
			bad("%s is %s", token, state)
		case n > most:
			bad("the server took %s %d times, allowed are %d", token, n, most)
		}
	}
	for id, e := range d.replies {
		if token := e.GetMessage().GetText(); l.replies[token] != id {
			bad("reply %s was never ordered as %s", token, id)
		}
	}
	for id := range d.sent {
		if d.replies[id] == nil {
			bad("a mail was sent for a reply nobody ordered: %s", id)
		}
	}
}

// checkConversations: one for each who, none that nobody had.
func checkConversations(l *ledger, d *dump, inUse map[string]bool, bad func(string, ...any)) {
	if len(d.conversations) != len(l.said) || len(d.customers) != len(l.said) {
		bad("%d conversations of %d customers, but %d wrote", len(d.conversations), len(d.customers), len(l.said))
	}
	for _, c := range d.conversations {
		if !inUse[c.GetId()] || c.GetMessages() == 0 {
			bad("conversation %s is a ghost", c.GetId())
		}
	}
}

// checkTranscripts: a visitor sees what he said and what was answered, each once.
func checkTranscripts(l *ledger, d *dump, bad func(string, ...any)) {
	for who, items := range d.transcripts {
		var yours []string
		seen := map[string]int{}
		for _, it := range items {
			if it.From == "you" {
				yours = append(yours, it.Text)
			}
			seen[it.Text]++
		}
		var want []string
		for _, s := range l.said[who] {
			want = append(want, s.token())
		}
		if !slices.Equal(yours, want) {
			bad("the widget of %s shows %d of %d messages, or in another order", who, len(yours), len(want))
		}
		for _, c := range d.customers {
			for _, e := range c.entries {
				m := e.GetMessage()
				if m.GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND && owns(c, who) && seen[m.GetText()] != 1 {
					bad("the widget of %s shows %s %d times", who, m.GetText(), seen[m.GetText()])
				}
			}
		}
	}
}

func owns(c customer, who string) bool {
	return slices.ContainsFunc(c.entries, func(e *inboxv1.TimelineEntry) bool {
		return strings.HasPrefix(e.GetMessage().GetText(), "said/"+who+"/")
	})
}

// checkEvents: an integrator was told of each message once, and of no other.
func checkEvents(d *dump, bad func(string, ...any)) {
	shown := map[string]bool{}
	for _, c := range d.customers {
		for _, e := range c.entries {
			if e.GetMessage().GetDirection() != inboxv1.Direction_DIRECTION_INBOUND {
				continue
			}
			shown[e.GetId()] = true
			if n := d.told[e.GetId()]; n != 1 {
				bad("the event stream told %d times of %s", n, e.GetMessage().GetText())
			}
		}
	}
	for id := range d.told {
		if !shown[id] {
			bad("the event stream told of a message that is not shown: %s", id)
		}
	}
}
