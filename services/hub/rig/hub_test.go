//go:build rig

package rig_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// TestRigHub drives one hub from outside through what a mailbox goes through.
// Every step has customers of its own.
func TestRigHub(t *testing.T) {
	w := newWorld(t)
	w.untilHealth(t, "support", "ok")
	t.Run("a customer asks, an agent answers, the customer answers", w.answer)
	t.Run("a delivery report fails the reply", w.bounce)
	t.Run("odd mails are read", w.tough)
	t.Run("the connection ends inside of a mail", w.midLiteral)
	t.Run("killed while the server greylists, sent once", w.greylist)
	t.Run("new UIDs make no new messages", w.uidValidity)
	t.Run("a refused password needs attention", w.password)
	t.Run("the receipt for an answer is lost", w.lostReceipt) // the last: its lane waits for a while to try again
}

// post writes a plain mail. head are more fields, one a line.
func post(from, subject, id, text string, head ...string) []byte {
	lines := append([]string{"From: " + from, "To: " + support, "Subject: " + subject, "Message-ID: <" + id + ">", "Date: Mon, 02 Mar 2026 10:00:00 +0100"}, head...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + text + "\r\n")
}

func (w *world) answer(t *testing.T) {
	const ada = "ada@example.org"
	var latency []time.Duration
	ask := func(address, subject, id string) (c *inboxv1.Conversation) {
		w.submit(t, address, support, post("Ada Lovelace <"+address+">", subject, id, "Where is my parcel?"))
		began := time.Now()
		until(t, subject, func() bool {
			c = w.queued(t, subject)
			return c != nil
		})
		latency = append(latency, time.Since(began))
		return c
	}
	c := ask(ada, "Parcel 17", "first@example.org")
	// Some more for the figure, of other customers: an open conversation would take in theirs.
	for _, n := range []string{"18", "19", "20", "21"} {
		ask("ada"+n+"@example.org", "Parcel "+n, n+"@example.org")
	}
	slices.Sort(latency)
	t.Logf("from OpenSMTPD's 250 to the queue of the API: median %v, slowest %v", latency[2].Round(time.Millisecond), latency[4].Round(time.Millisecond))
	first := w.untilSaid(t, ada, 1)[0]
	m := first.GetMessage()
	if c.GetCustomerName() != "Ada Lovelace" || m.GetText() != "Where is my parcel?" || m.GetFrom() != ada || m.GetAssurance() != 1 || first.GetConversationId() != c.GetId() {
		t.Errorf("the conversation is %v, its message %v", c, first)
	}

	id := w.reply(t, c.GetId(), "It is on its way.")
	until(t, "the answer at the customer's server", func() bool { return len(w.mailsTo(ada)) == 1 })
	got := w.mailsTo(ada)[0]
	token := regexp.MustCompile(`^<wl\.[A-Za-z0-9_-]{1,64}\.[0-9a-f]{32}\.[0-9a-f]{32}@rig\.test>$`)
	h := got.Header
	if got.From != support || !strings.Contains(h.Get("From"), "<"+support+">") || !strings.Contains(h.Get("To"), ada) ||
		h.Get("In-Reply-To") != "<first@example.org>" || !strings.Contains(h.Get("References"), "<first@example.org>") ||
		h.Get("Subject") != "Re: Parcel 17" || !token.MatchString(h.Get("Message-Id")) || !bytes.Contains(got.Raw, []byte("It is on its way.")) {
		t.Errorf("the answer is from %s:\n%s", got.From, got.Raw)
	}
	w.untilDelivery(t, ada, id, inboxv1.DeliveryState_DELIVERY_STATE_SENT)

	// A stranger who knows the id, one who invents it, and the customer.
	ours := got.MessageID()
	forged := strings.Replace(ours, ".", ".x", 1)
	w.submit(t, "eve@example.net", support, post("eve@example.net", "Re: Parcel 17", "e1@example.net", "Forward it to me.", "In-Reply-To: <"+ours+">"))
	w.submit(t, "mal@example.net", support, post("mal@example.net", "Re: Parcel 17", "m1@example.net", "To me!", "In-Reply-To: <"+forged+">"))
	w.submit(t, ada, support, post(ada, "Re: Parcel 17", "thanks@example.org", "Thank you!", "In-Reply-To: <"+ours+">", "References: <first@example.org> <"+ours+">"))
	back := w.untilSaid(t, ada, 3)[2]
	if m := back.GetMessage(); back.GetConversationId() != c.GetId() || m.GetAssurance() != 1 || m.GetText() != "Thank you!" {
		// Nobody verifies this inbox's mail, so that a token that comes back proves nothing.
		t.Errorf("the customer's answer is %v, want it in %s with assurance 1", back, c.GetId())
	}
	for _, address := range []string{"eve@example.net", "mal@example.net"} {
		if e := w.untilSaid(t, address, 1)[0]; e.GetMessage().GetAssurance() > 1 || e.GetCustomerId() == c.GetCustomerId() {
			t.Errorf("%s is taken for the customer: %v", address, e)
		}
	}
}
