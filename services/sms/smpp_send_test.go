package sms_test

import (
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/sms/smpp"
	"github.com/weftline/weftline/services/sms/smpp/smpptest"
)

// TestFakeSMSCReceipts: of all parts, before the answer, of nobody, padded, and in another base.
func TestFakeSMSCReceipts(t *testing.T) {
	t.Parallel()
	in := &reports{}
	w := newSMSC(t, in, nil)
	ids := map[int]string{1: "A1", 2: "A2", 3: "1f", 4: "early", 5: "77"}
	w.smsc.Judge(func(n int, _ smpp.Message) smpptest.Verdict {
		v := smpptest.Verdict{ID: ids[n]}
		if n == 4 { // the receipt overtakes the answer
			v.Before = func() {
				if err := w.smsc.Deliver(w.within(), receipt("early", "DELIVRD")); err != nil {
					t.Error(err)
				}
			}
		}
		return v
	})
	if r, err := w.send("two", strings.Repeat("a", 200)); err != nil || r.State != channel.StateSent || r.ProviderID != "A1" {
		t.Fatalf("%+v, %v", r, err)
	}
	deliver := func(id, stat string) {
		t.Helper()
		if err := w.smsc.Deliver(w.within(), receipt(id, stat)); err != nil {
			t.Fatal(err)
		}
	}
	deliver("a1", "DELIVRD")
	deliver("A1", "DELIVRD") // again
	deliver("nobody", "DELIVRD")
	deliver("A2", "ACCEPTD")
	if n := len(in.all()); n != 0 {
		t.Fatalf("%d reports while a part is under way", n)
	}
	deliver("000A2", "DELIVRD")
	if _, err := w.send("hex", "b"); err != nil {
		t.Fatal(err)
	}
	w.restart() // what is known of ids is durable
	deliver("31", "UNDELIV")
	if _, err := w.send("early", "c"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.send("three", strings.Repeat("d", 310)); err != nil {
		t.Fatal(err)
	}
	deliver("77", "EXPIRED")
	var got []string
	for _, r := range in.all() {
		got = append(got, r.Outbound+" "+string(r.State)+" "+r.Detail)
		if r.Inbox != "main" || r.Channel != "sms" || r.Customer != "c1" || !r.At.Equal(time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)) {
			t.Errorf("%+v", r)
		}
	}
	want := []string{
		"two delivered ", "hex failed the network: cannot be delivered (error 034)", "early delivered ",
		"three failed part 1 of 3: the network: expired (error 034)",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

// TestFakeSMSCHalfSent: the link breaks behind the second of three parts.
func TestFakeSMSCHalfSent(t *testing.T) {
	t.Parallel()
	w := newSMSC(t, &reports{}, nil)
	w.smsc.Judge(func(n int, _ smpp.Message) smpptest.Verdict { return smpptest.Verdict{Hangup: n == 3} })
	text := strings.Repeat("a", 400)
	r, err := w.send("half", text)
	if err != nil || r.State != channel.StateUnknown || !strings.Contains(r.Detail, "2 of 3 parts") {
		t.Fatalf("%+v, %v", r, err)
	}
	w.restart()
	s, _ := w.adapter.Sender("main")
	if _, err := s.(channel.Looker).Look(w.within(), channel.Outbound{ID: "half", Inbox: "main"}); err == nil || !strings.Contains(err.Error(), "2 of 3") {
		t.Errorf("looked up: %v", err)
	}
	// By itself it is not sent again; a person's third attempt is.
	again := channel.Outbound{ID: "half", Attempt: 2, Unknown: true}
	if r, err := w.sendOut(again, text); err != nil || r.State != channel.StateUnknown || len(w.smsc.Sent()) != 3 {
		t.Fatalf("%+v, %v, %d went out", r, err, len(w.smsc.Sent()))
	}
	again.Attempt = 3
	if r, err := w.sendOut(again, text); err != nil || r.State != channel.StateSent || len(w.smsc.Sent()) != 6 {
		t.Errorf("%+v, %v, %d went out", r, err, len(w.smsc.Sent()))
	}
	if got := shown(w.smsc.Sent()[3:]); len(got) != 1 || got[0] != text {
		t.Errorf("%q", got)
	}
}

// TestFakeSMSCThrottled: the SMSC asks to wait in the middle of a message. The
// inbox waits, no other does, and it goes on with the part that was not taken.
func TestFakeSMSCThrottled(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	w := newSMSCAt(t, &reports{}, smpptest.Start(t, nil), nil, nil, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	for _, status := range []smpp.Status{smpp.Throttled, smpp.QueueFull} {
		before := len(w.smsc.Sent())
		w.smsc.Judge(func(n int, _ smpp.Message) smpptest.Verdict {
			if n == before+2 {
				return smpptest.Verdict{Status: status}
			}
			return smpptest.Verdict{}
		})
		id, text := "out-"+status.String(), strings.Repeat("ab", 200)
		_, err := w.send(id, text)
		if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After < time.Second/2 {
			t.Fatalf("%v", err)
		}
		if _, err := w.send("next"+id, "next"); err == nil || len(w.smsc.Sent()) != before+2 {
			t.Errorf("the next did not wait: %v", err)
		}
		s, _ := w.adapter.Sender("other")
		if r, err := s.Send(w.within(), channel.Outbound{ID: "other" + id, Inbox: "other", To: to(customer), Content: channel.Content{Text: "other"}}); err != nil || r.State != channel.StateSent {
			t.Errorf("another inbox: %+v, %v", r, err)
		}
		ahead.Add(int64(time.Hour))
		if r, err := w.send(id, text); err != nil || r.State != channel.StateSent {
			t.Fatalf("%+v, %v", r, err)
		}
		sent := w.smsc.Sent()[before:]
		got := shown(append(sent[:1:1], sent[3:]...)) // without the refused part and the other inbox's
		if len(sent) != 5 || len(got) != 1 || got[0] != text {
			t.Errorf("%d submits: %q", len(sent), got)
		}
	}
}

func TestFakeSMSCRefusesPart(t *testing.T) {
	t.Parallel()
	w := newSMSC(t, &reports{}, nil)
	w.smsc.Judge(func(n int, _ smpp.Message) smpptest.Verdict {
		return smpptest.Verdict{Status: map[bool]smpp.Status{true: smpp.InvalidDest}[n == 2]}
	})
	r, err := w.send("r", strings.Repeat("a", 400))
	if err != nil || r.State != channel.StateFailed || r.Detail != "1 of 3 parts were sent, then the SMSC answers: destination address is invalid (0x0b)" {
		t.Errorf("%+v, %v", r, err)
	}
}
