package crash

import (
	"slices"
	"testing"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// inDoubt counts the mails of which nobody knew for a while whether they went
// out, and those the server took a second time.
func inDoubt(d *dump) (doubted, twice int) {
	for id, n := range d.sent {
		if d.progress[id]["unknown"] {
			doubted++
		}
		if n > 1 {
			twice++
		}
	}
	return doubted, twice
}

// planted shows that the checker is not blind: each fault, planted into what
// was read from a real run, must be found.
func planted(t *testing.T, l *ledger, d *dump) {
	i := slices.IndexFunc(d.customers, func(c customer) bool { return len(inbound(c)) >= 2 })
	if i < 0 {
		t.Fatal("nobody said two things")
	}
	all := d.customers[i].entries
	at := inbound(d.customers[i])
	var sent string
	for id, n := range d.sent {
		if n == 1 && !d.progress[id]["unknown"] {
			sent = id
		}
	}
	if sent == "" {
		t.Fatal("no reply was sent")
	}
	faults := map[string]func() (undo func()){
		"a message is lost": func() func() {
			d.customers[i].entries = slices.Delete(slices.Clone(all), at[0], at[0]+1)
			return func() { d.customers[i].entries = all }
		},
		"a message is doubled": func() func() {
			d.customers[i].entries = slices.Insert(slices.Clone(all), at[0], all[at[0]])
			return func() { d.customers[i].entries = all }
		},
		"two messages are swapped": func() func() {
			c := slices.Clone(all)
			c[at[0]], c[at[1]] = c[at[1]], c[at[0]]
			d.customers[i].entries = c
			return func() { d.customers[i].entries = all }
		},
		"a ghost conversation": func() func() {
			d.conversations = append(d.conversations, &inboxv1.Conversation{Id: "ghost"})
			return func() { d.conversations = d.conversations[:len(d.conversations)-1] }
		},
		"a reply is sent twice": func() func() {
			d.sent[sent]++
			return func() { d.sent[sent]-- }
		},
		"a reply is lost silently": func() func() {
			delete(d.sent, sent)
			return func() { d.sent[sent] = 1 }
		},
		"an event is missing": func() func() {
			id := all[at[0]].GetId()
			delete(d.told, id)
			return func() { d.told[id] = 1 }
		},
		"a reply nobody ordered": func() func() {
			token := d.replies[sent].GetMessage().GetText()
			delete(l.replies, token)
			return func() { l.replies[token] = sent }
		},
	}
	for who, items := range d.transcripts {
		for at, it := range items {
			faults["a widget does not show a line from "+it.From] = func() func() {
				d.transcripts[who] = slices.Delete(slices.Clone(items), at, at+1)
				return func() { d.transcripts[who] = items }
			}
		}
	}
	for name, plant := range faults {
		undo := plant()
		if len(check(l, d)) == 0 {
			t.Errorf("%s: not found", name)
		}
		undo()
	}
	t.Logf("planted %d kinds of faults", len(faults))
	if offences := check(l, d); len(offences) > 0 {
		t.Errorf("faults were left: %v", offences)
	}
}

// inbound are the places of a customer's own messages.
func inbound(c customer) (at []int) {
	for i, e := range c.entries {
		if e.GetMessage().GetDirection() == inboxv1.Direction_DIRECTION_INBOUND {
			at = append(at, i)
		}
	}
	return at
}
