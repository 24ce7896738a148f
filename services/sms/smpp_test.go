package sms_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/services/sms/smpp"
	"github.com/weftline/weftline/services/sms/smpp/smpptest"
)

const long = "Grüße, 世界! " // in two parts when it is said ten times

func receipt(id, stat string) smpp.Message {
	m := said(fmt.Sprintf("id:%s sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:%s err:034 text:x", id, stat))
	m.ESMClass = smpp.ESMReceipt
	return m
}

// TestFakeSMSCPartsOverARestart: parts in any order, one twice, a restart in
// between: one message, and none is acknowledged before it is stored.
func TestFakeSMSCPartsOverARestart(t *testing.T) {
	t.Parallel()
	in := &reports{}
	w := newSMSC(t, in, nil)
	text := strings.Repeat(long, 15)
	parts := saidInParts(t, text, 9)
	if len(parts) < 3 {
		t.Fatal(len(parts))
	}
	for _, i := range []int{2, 0, 2} {
		if err := w.smsc.Deliver(w.within(), parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	w.restart()
	if n := len(in.Taken()); n != 0 {
		t.Fatalf("%d inputs before it is whole", n)
	}
	in.Fail(errors.New("disk is full"))
	if err := w.smsc.Deliver(w.within(), parts[1]); err == nil {
		t.Fatal("the last part is acknowledged, and the message is not stored")
	}
	in.Fail(nil)
	w.restart()
	for _, i := range []int{1, 1, 0} { // and again, after its acknowledgement was lost
		if err := w.smsc.Deliver(w.within(), parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	got := messages(t, w.adapter, in.Taken())
	if len(got) != 1 || got[0].Content.Text != text || got[0].From.Address != customer || got[0].Assurance != 2 {
		t.Errorf("%d messages: %+v", len(got), got)
	}
}

// TestFakeSMSCPartMissing: after a while what is there is shown, with a word where something is missing.
func TestFakeSMSCPartMissing(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	in := &reports{}
	w := newSMSCAt(t, in, smpptest.Start(t, nil), nil, nil, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	parts := saidInParts(t, strings.Repeat("a", 400), 9)
	for _, i := range []int{0, 2} {
		if err := w.smsc.Deliver(w.within(), parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.adapter.Sweep(w.within(), "main"); err != nil || len(in.Taken()) != 0 {
		t.Fatalf("shown too early: %v", err)
	}
	ahead.Store(int64(31 * time.Minute))
	if err := w.adapter.Sweep(w.within(), "main"); err != nil {
		t.Fatal(err)
	}
	got := messages(t, w.adapter, in.Taken())
	if len(got) != 1 || !strings.Contains(got[0].Content.Text, "a [part 2 of 3 is missing] a") || !reflect.DeepEqual(got[0].Flags, []string{"incomplete"}) {
		t.Errorf("%+v", got)
	}
	// It comes after all: shown by itself, and the next one under the reference is whole.
	if err := w.smsc.Deliver(w.within(), parts[1]); err != nil {
		t.Fatal(err)
	}
	ahead.Store(int64(62 * time.Minute))
	if err := w.adapter.Sweep(w.within(), "main"); err != nil {
		t.Fatal(err)
	}
	got = messages(t, w.adapter, in.Taken())
	if len(got) != 2 || !strings.HasPrefix(got[1].Content.Text, "[part 1 of 3 is missing] a") {
		t.Errorf("%d: %+v", len(got), got)
	}
}

// TestFakeSMSCReferenceUsedAgain: another message under the reference of one that is not whole.
func TestFakeSMSCReferenceUsedAgain(t *testing.T) {
	t.Parallel()
	in := &reports{}
	w := newSMSC(t, in, nil)
	old, next := saidInParts(t, strings.Repeat("a", 200), 1), saidInParts(t, strings.Repeat("b", 200), 1)
	for _, m := range []smpp.Message{old[0], next[0], next[1]} {
		if err := w.smsc.Deliver(w.within(), m); err != nil {
			t.Fatal(err)
		}
	}
	got := messages(t, w.adapter, in.Taken())
	if len(got) != 2 || !strings.HasPrefix(got[0].Content.Text, "aaa") || got[1].Content.Text != strings.Repeat("b", 200) {
		t.Errorf("%d: %+v", len(got), got)
	}
}

// TestFakeSMSCSaysItAgain: the same on a new connection is the SMSC's repetition, on the same one it was said twice.
func TestFakeSMSCSaysItAgain(t *testing.T) {
	t.Parallel()
	in := &reports{}
	w := newSMSC(t, in, nil)
	yes := func() {
		t.Helper()
		if err := w.smsc.Deliver(w.within(), said("yes")); err != nil {
			t.Fatal(err)
		}
	}
	yes()
	w.restart()
	yes()
	if n := len(messages(t, w.adapter, in.Taken())); n != 1 {
		t.Fatalf("%d messages, want 1", n)
	}
	yes()
	if n := len(messages(t, w.adapter, in.Taken())); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

func TestFakeSMSCCodings(t *testing.T) {
	t.Parallel()
	in := &reports{}
	w := newSMSC(t, in, nil)
	payload := said("")
	payload.Optional = []smpp.Optional{{Tag: smpp.TagMessagePayload, Value: []byte(strings.Repeat("p", 300))}}
	latin := said("")
	latin.DataCoding, latin.Short = 3, []byte("Gr\xfc\xdfe")
	torn := saidInParts(t, strings.Repeat("😀", 40), 3)
	torn[0].Short, torn[1].Short = torn[0].Short[:len(torn[0].Short)-2], append(torn[1].Short[:6:6], append(torn[0].Short[len(torn[0].Short)-2:], torn[1].Short[6:]...)...)
	sar := func(n byte, text string) smpp.Message {
		m := said(text)
		m.Optional = []smpp.Optional{{Tag: smpp.TagConcatRef, Value: []byte{1, 2}}, {Tag: smpp.TagConcatTotal, Value: []byte{2}}, {Tag: smpp.TagConcatPart, Value: []byte{n}}}
		return m
	}
	for _, c := range []struct {
		want string
		in   []smpp.Message
	}{
		{"MO hello €{}", []smpp.Message{said("MO hello €{}")}},
		{"שלום 👋", []smpp.Message{said("שלום 👋")}},
		{"Grüße", []smpp.Message{latin}},
		{strings.Repeat("p", 300), []smpp.Message{payload}},
		{"one and two", []smpp.Message{sar(2, "and two"), sar(1, "one ")}},
		{strings.Repeat("😀", 40), torn},
	} {
		before := len(in.Taken())
		for _, m := range c.in {
			if err := w.smsc.Deliver(w.within(), m); err != nil {
				t.Fatal(err)
			}
		}
		got := messages(t, w.adapter, in.Taken()[before:])
		if len(got) != 1 || got[0].Content.Text != c.want {
			t.Errorf("%q became %d: %+v", c.want, len(got), got)
		}
	}
	binary := said("x")
	binary.DataCoding = 4
	before := len(in.Taken())
	if err := w.smsc.Deliver(w.within(), binary); err != nil {
		t.Fatal(err)
	}
	if _, err := w.adapter.Parse(in.Taken()[before]); err == nil || !strings.Contains(err.Error(), "no text") {
		t.Errorf("binary: %v", err)
	}
	odd := said("no id here")
	odd.ESMClass = smpp.ESMReceipt
	if err := w.smsc.Deliver(w.within(), odd); err != nil {
		t.Fatal(err)
	}
	if got := messages(t, w.adapter, in.Taken()[before+1:])[0].Content.Text; got != "no id here" {
		t.Errorf("a receipt that names nothing: %q", got)
	}
	before++
	if p, err := w.smsc.Ask(w.within(), smpp.DeliverSM, []byte("\x00\x01")); err != nil || p.Status != smpp.OK || len(in.Taken()) != before+2 {
		t.Errorf("what cannot be read is kept: %+v, %v", p, err)
	}
}
