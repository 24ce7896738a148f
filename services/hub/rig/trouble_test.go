//go:build rig

package rig_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/hub/hubtest"
	"google.golang.org/protobuf/testing/protocmp"
)

// ask makes a customer with a conversation.
func (w *world) ask(t *testing.T, address string) (conversation string) {
	t.Helper()
	w.submit(t, address, support, post(address, "Question", "q-"+address, "A question."))
	return w.untilSaid(t, address, 1)[0].GetConversationId()
}

// bounce: first a report in the words of another server, then OpenSMTPD's own.
func (w *world) bounce(t *testing.T) {
	const bea, cid = "bea@example.org", "cid@example.org"
	id := w.reply(t, w.ask(t, bea), "An answer.")
	w.untilDelivery(t, bea, id, inboxv1.DeliveryState_DELIVERY_STATE_SENT)
	until(t, "the answer at the customer's server", func() bool { return len(w.mailsTo(bea)) == 1 })
	token := w.mailsTo(bea)[0].MessageID()
	report := strings.Join([]string{
		"From: Mail Delivery System <MAILER-DAEMON@mx.example.org>", "To: " + support, "Subject: Undelivered Mail Returned to Sender",
		"Message-ID: <b1@mx.example.org>", "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
		`Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
		"--b", "Content-Type: text/plain", "", "The mailbox is full.", "",
		"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", "",
		"Final-Recipient: rfc822; " + bea, "Action: failed", "Status: 5.2.2", "Diagnostic-Code: smtp; 552 5.2.2 mailbox full", "",
		"--b", "Content-Type: text/rfc822-headers", "", "Message-ID: <" + token + ">", "To: " + bea, "",
		"--b--", "",
	}, "\r\n")
	w.submit(t, "", support, []byte(report))
	if detail := w.untilDelivery(t, bea, id, inboxv1.DeliveryState_DELIVERY_STATE_FAILED); !strings.Contains(detail, "mailbox full") {
		t.Errorf("the reason is %q", detail)
	}
	w.untilSaid(t, bea, 2) // the report is no message

	conversation := w.ask(t, cid)
	w.sink.Next(hubtest.Answer{Code: 550, Text: "nobody of that name"})
	id = w.reply(t, conversation, "An answer.")
	detail := w.untilDelivery(t, cid, id, inboxv1.DeliveryState_DELIVERY_STATE_FAILED)
	t.Logf("OpenSMTPD's own report: %s", detail)
	if !strings.Contains(detail, "nobody of that name") {
		t.Errorf("the reason is %q", detail)
	}
	w.untilSaid(t, cid, 2)
}

// midLiteral: the network fails in the middle of a mail, three times.
func (w *world) midLiteral(t *testing.T) {
	const ivy = "ivy@example.org"
	text := strings.Repeat("A long story that does not fit into one packet.\r\n", 6000) + "The end of it."
	in := &consolev1.Inbox{Id: "wired", Channel: "email", Name: "Wired", Settings: w.settings("bob", "secret")}
	in.Settings["imap_port"] = w.imap.port()
	w.must(t, w.owner, "SaveInbox", &consolev1.SaveInboxRequest{Inbox: in}, &consolev1.SaveInboxResponse{})
	w.untilHealth(t, "wired", "ok")
	w.imap.cut(3)
	w.submit(t, ivy, "bob@rig.test", post(ivy, "Long", "long@ivy", text))
	w.submit(t, "jon@example.org", "bob@rig.test", post("jon@example.org", "Short", "short@jon", "Behind the long one."))
	got := w.untilSaid(t, ivy, 1)[0].GetMessage()
	if cut := w.imap.cutSoFar(); cut != 3 {
		t.Errorf("the connection ended %d times inside of the mail, want 3", cut)
	}
	if !strings.HasSuffix(strings.TrimSpace(got.GetText()), "The end of it.") {
		t.Errorf("%d bytes came of %d", len(got.GetText()), len(text))
	}
	w.untilSaid(t, "jon@example.org", 1)
	w.untilHealth(t, "wired", "ok")
	w.must(t, w.owner, "SaveInbox", &consolev1.SaveInboxRequest{Inbox: in, Delete: true}, &consolev1.SaveInboxResponse{})
}

// lostReceipt: OpenSMTPD takes the mail, and its 250 does not come back: nobody
// knows, the agent is told so, and nothing is sent behind his back at once.
func (w *world) lostReceipt(t *testing.T) {
	const kim = "kim@example.org"
	conversation := w.ask(t, kim)
	w.smtp.cut(1)
	id := w.reply(t, conversation, "Once, I hope.")
	w.untilDelivery(t, kim, id, inboxv1.DeliveryState_DELIVERY_STATE_UNKNOWN)
	until(t, "the mail at the customer's server", func() bool { return len(w.mailsTo(kim)) == 1 })
	if w.smtp.cutSoFar() != 1 {
		t.Error("the connection did not end behind the dot")
	}
}

// greylist: replies are refused for now, the server goes down, the hub is
// killed, and both come back. The retry is due half a minute after the refusal.
func (w *world) greylist(t *testing.T) {
	customers := []string{"dan@example.org", "eli@example.org", "fay@example.org"}
	ids := map[string]string{}
	conversations := map[string]string{}
	for _, c := range customers {
		conversations[c] = w.ask(t, c)
	}
	w.smtpd.stop(t)
	w.smtpd.start(t, "RIG_GREYLIST=1")
	for _, c := range customers {
		ids[c] = w.reply(t, conversations[c], "Slow, but once.")
	}
	for _, c := range customers {
		if detail := w.untilDelivery(t, c, ids[c], inboxv1.DeliveryState_DELIVERY_STATE_RETRYING); !strings.Contains(detail, "greylisted") {
			t.Errorf("the reason is %q", detail)
		}
	}
	w.smtpd.stop(t)
	w.hub.Kill()
	w.start(t)
	w.hub.Kill() // and once more while it comes up
	w.smtpd.start(t)
	w.start(t)
	for _, c := range customers {
		w.untilDelivery(t, c, ids[c], inboxv1.DeliveryState_DELIVERY_STATE_SENT)
	}
	// What is sent later to the same customers comes behind a second copy, if there is one.
	for _, c := range customers {
		id := w.reply(t, conversations[c], "The end.")
		w.untilDelivery(t, c, id, inboxv1.DeliveryState_DELIVERY_STATE_SENT)
		until(t, "the last mail to "+c, func() bool { return len(w.mailsTo(c)) >= 2 })
		if mails := w.mailsTo(c); len(mails) != 2 || mails[0].MessageID() == mails[1].MessageID() {
			t.Errorf("%d mails to %s, want 2 different ones", len(mails), c)
		}
	}
}

// whole is everything said to and by everybody, by customer.
func (w *world) whole(t *testing.T) map[string]*inboxv1.GetTimelineResponse {
	t.Helper()
	all := map[string]*inboxv1.GetTimelineResponse{}
	var list inboxv1.ListCustomersResponse
	w.must(t, w.api, "ListCustomers", &inboxv1.ListCustomersRequest{PageSize: 200}, &list)
	for _, c := range list.GetCustomers() {
		var tl inboxv1.GetTimelineResponse
		w.must(t, w.api, "GetTimeline", &inboxv1.GetTimelineRequest{CustomerId: c.GetId(), PageSize: 200}, &tl)
		all[c.GetId()] = &tl
	}
	return all
}

func (w *world) uidValidity(t *testing.T) {
	before := w.whole(t)
	mails, err := filepath.Glob(filepath.Join(w.dir, "mail/alice/*/*,*"))
	if err != nil || len(mails) < 20 {
		t.Fatalf("%d mails in the mailbox (%v)", len(mails), err)
	}
	handled := w.metric(t, "weftline_intake_accepted_total", "")
	w.dovecot.stop(t)
	lists, _ := filepath.Glob(filepath.Join(w.dir, "mail/alice/dovecot*"))
	if len(lists) == 0 {
		t.Fatal("found no uid list to remove")
	}
	for _, f := range lists {
		if err := os.RemoveAll(f); err != nil {
			t.Fatal(err)
		}
	}
	w.dovecot.start(t)
	until(t, "all mails are taken in again", func() bool {
		return w.metric(t, "weftline_email_imap_rescans_total", "") == 1 &&
			w.metric(t, "weftline_intake_accepted_total", "") >= handled+float64(len(mails)) && w.metric(t, "weftline_lane_held", "") == 0
	})
	const gil = "gil@example.org"
	w.ask(t, gil)
	after := w.whole(t)
	delete(after, w.timeline(t, gil).GetCustomer().GetId())
	if diff := cmp.Diff(before, after, protocmp.Transform(), protocmp.IgnoreFields(&inboxv1.GetTimelineResponse{}, "as_of")); diff != "" {
		t.Errorf("after %d mails came again (-want +got):\n%s", len(mails), diff)
	}
	t.Logf("%d mails came again, %d customers unchanged", len(mails), len(before))
}

// password: of an inbox that its owner made in the console.
func (w *world) password(t *testing.T) {
	const hal, bob = "hal@example.org", "bob@rig.test"
	save := func(password string) {
		in := &consolev1.Inbox{Id: "bob", Channel: "email", Name: "Bob", Settings: w.settings("bob", password)}
		w.must(t, w.owner, "SaveInbox", &consolev1.SaveInboxRequest{Inbox: in}, &consolev1.SaveInboxResponse{})
	}
	save("secret")
	w.untilHealth(t, "bob", "ok")
	w.submit(t, hal, bob, post(hal, "One", "1@hal", "One."))
	w.untilSaid(t, hal, 1)

	if err := os.WriteFile(filepath.Join(w.dir, "users"), fmt.Appendf(nil, "alice:{PLAIN}secret::::::\nbob:{PLAIN}changed::::::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.dovecot.stop(t) // ends the session with the old password
	w.dovecot.start(t)
	t.Logf("health: %s", w.untilHealth(t, "bob", "needs_attention"))
	w.untilHealth(t, "support", "ok") // its neighbour does not suffer
	w.submit(t, hal, bob, post(hal, "Two", "2@hal", "Two."))
	save("changed")
	w.untilHealth(t, "bob", "ok")
	if got := w.untilSaid(t, hal, 2)[1].GetMessage().GetText(); got != "Two." {
		t.Errorf("came %q", got)
	}
}
