package smpp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/sms/smpp"
	"github.com/weftline/weftline/services/sms/smpp/smpptest"
)

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, f *smpptest.FakeSMSC, cfg smpp.Config) *smpp.Session {
	t.Helper()
	s, err := dial(t, f, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func dial(t *testing.T, f *smpptest.FakeSMSC, cfg smpp.Config) (*smpp.Session, error) {
	t.Helper()
	c, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Login.SystemID == "" {
		cfg.Login = smpptest.Login
	}
	return smpp.Open(within(t), c, cfg)
}

func message(text string) smpp.Message {
	return smpp.Message{Source: smpp.Address{TON: 1, NPI: 1, Addr: "15005550006"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"}, Short: []byte(text)}
}

func TestFakeSMSCSubmitAndDeliver(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	got := make(chan smpp.Message, 1)
	s := open(t, f, smpp.Config{Deliver: func(_ context.Context, p smpp.PDU) smpp.Status {
		m, err := smpp.Decode(p.Body)
		if err != nil {
			t.Error(err)
		}
		got <- m
		return smpp.OK
	}})
	id, err := s.Submit(within(t), message("hello"))
	if err != nil || id != "sim1" {
		t.Fatalf("%q, %v", id, err)
	}
	if d := cmp.Diff([]smpp.Message{message("hello")}, f.Sent()); d != "" {
		t.Error(d)
	}
	if err := f.Deliver(within(t), message("an answer")); err != nil {
		t.Fatal(err)
	}
	if m := <-got; string(m.Payload()) != "an answer" {
		t.Errorf("%+v", m)
	}
	if p, err := f.Ask(within(t), smpp.EnquireLink, nil); err != nil || p.Command != smpp.EnquireLinkResp {
		t.Errorf("enquire_link is answered with %+v, %v", p, err)
	}
	if p, err := f.Ask(within(t), 0x103, nil); err != nil || p.Command != smpp.GenericNack || p.Status != smpp.InvalidCmd {
		t.Errorf("data_sm is answered with %+v, %v", p, err)
	}
}

func TestFakeSMSCRefusesBind(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	_, err := dial(t, f, smpp.Config{Login: smpp.Login{SystemID: "foo", Password: "wrong"}})
	if e, ok := errors.AsType[*smpp.StatusError](err); !ok || !e.Status.Credentials() {
		t.Errorf("%v", err)
	}
}

// TestFakeSMSCWindow: never more without an answer than the window holds, and all go through.
func TestFakeSMSCWindow(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	gate := make(chan struct{})
	letGo := sync.OnceFunc(func() { close(gate) })
	t.Cleanup(letGo)
	f.Judge(func(int, smpp.Message) smpptest.Verdict { return smpptest.Verdict{Wait: gate} })
	s := open(t, f, smpp.Config{Window: 3})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := s.Submit(within(t), message(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	if err := f.Until(within(t), func() bool { return len(f.Sent()) >= 3 }); err != nil {
		t.Fatal(err)
	}
	letGo()
	wg.Wait()
	if f.Most() != 3 || len(f.Sent()) != 20 {
		t.Errorf("%d at the same time of %d, want 3 of 20", f.Most(), len(f.Sent()))
	}
}

func TestFakeSMSCStatusAndLostAnswer(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	f.Judge(func(n int, _ smpp.Message) smpptest.Verdict {
		switch n {
		case 1:
			return smpptest.Verdict{Status: smpp.Throttled}
		case 2:
			return smpptest.Verdict{Silent: true}
		}
		return smpptest.Verdict{Hangup: true}
	})
	s := open(t, f, smpp.Config{Timeout: 2 * time.Second})
	_, err := s.Submit(within(t), message("1"))
	if e, ok := errors.AsType[*smpp.StatusError](err); !ok || !e.Status.Wait() {
		t.Errorf("throttled: %v", err)
	}
	if _, err := s.Submit(within(t), message("2")); !errors.Is(err, smpp.ErrNoAnswer) {
		t.Errorf("silent: %v", err)
	}
	if _, err := s.Submit(within(t), message("3")); !errors.Is(err, smpp.ErrNoAnswer) {
		t.Errorf("hung up: %v", err)
	}
	<-s.Done()
	if _, err := s.Submit(within(t), message("4")); !errors.Is(err, smpp.ErrNotSent) {
		t.Errorf("after the end: %v", err)
	}
	if n := len(f.Sent()); n != 3 {
		t.Errorf("%d went out, want 3", n)
	}
}

func TestFakeSMSCDeafLinkEnds(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	f.Deaf(true)
	s := open(t, f, smpp.Config{Enquire: 10 * time.Millisecond, Timeout: 2 * time.Second})
	select {
	case <-s.Done():
	case <-within(t).Done():
		t.Fatal("the link lives")
	}
	if f.Enquired() == 0 || !strings.Contains(s.Err().Error(), "enquire_link") {
		t.Errorf("asked %d times, %v", f.Enquired(), s.Err())
	}
}

func TestFakeSMSCUnbinds(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	s := open(t, f, smpp.Config{})
	if err := f.Until(within(t), func() bool { return f.Bound() == 1 }); err != nil {
		t.Fatal(err)
	}
	if err := f.Unbind(within(t)); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if !strings.Contains(s.Err().Error(), "unbound") {
		t.Error(s.Err())
	}
}

// TestFakeSMSCSlowSenderHoldsNobodyUp: the messages of one sender wait for one another, others' pass.
func TestFakeSMSCSlowSenderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	slow, begun := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var order []string
	open(t, f, smpp.Config{Deliver: func(_ context.Context, p smpp.PDU) smpp.Status {
		m, _ := smpp.Decode(p.Body)
		if string(m.Short) == "a0" {
			close(begun)
			<-slow
		}
		mu.Lock()
		defer mu.Unlock()
		order = append(order, string(m.Short))
		return smpp.OK
	}})
	send := func(from, text string) error {
		m := message(text)
		m.Source.Addr = from
		return f.Deliver(within(t), m)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := send("100", "a0"); err != nil {
			t.Error(err)
		}
	})
	<-begun
	if err := send("201", "b"); err != nil { // in another lane than 100
		t.Error(err)
	}
	close(slow)
	wg.Wait()
	if err := send("100", "a1"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(order, " "); got != "b a0 a1" {
		t.Error(got)
	}
}

func TestMessageRoundTrip(t *testing.T) {
	t.Parallel()
	text := func(n int) *rapid.Generator[string] { return rapid.StringMatching(fmt.Sprintf("[ -~]{0,%d}", n)) }
	rapid.Check(t, func(t *rapid.T) {
		m := smpp.Message{
			ServiceType: text(5).Draw(t, "service"), ESMClass: rapid.Byte().Draw(t, "esm"), DataCoding: rapid.Byte().Draw(t, "dc"),
			Source:     smpp.Address{TON: rapid.Byte().Draw(t, "ton"), Addr: text(20).Draw(t, "source")},
			Dest:       smpp.Address{NPI: rapid.Byte().Draw(t, "npi"), Addr: text(20).Draw(t, "dest")},
			Registered: rapid.Byte().Draw(t, "registered"), Validity: text(16).Draw(t, "validity"),
			Short: rapid.SliceOfN(rapid.Byte(), 1, 254).Draw(t, "short"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "optional") {
			m.Optional = append(m.Optional, smpp.Optional{Tag: rapid.Uint16().Draw(t, "tag"), Value: rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "value")})
		}
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		p, err := smpp.Read(bytes.NewReader(smpp.PDU{Command: smpp.DeliverSM, Seq: 7, Body: b}.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := smpp.Decode(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestReadReceipt(t *testing.T) {
	t.Parallel()
	done := time.Date(2026, 1, 1, 12, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		text     string
		optional []smpp.Optional
		want     smpp.Receipt
		none     bool
	}{
		"appendix B":      {text: "id:0123456789 sub:001 dlvrd:001 submit date:2601011229 done date:2601011230 stat:DELIVRD err:000 text:hello id:9", want: smpp.Receipt{ID: "0123456789", State: smpp.Delivered, Error: "000", Done: done}},
		"no text":         {text: "id:ab12 stat:UNDELIV err:034", want: smpp.Receipt{ID: "ab12", State: smpp.Undeliverable, Error: "034"}},
		"capitals":        {text: "ID:5 SUB:1 DLVRD:0 SUBMIT DATE:260101122900 DONE DATE:260101123000 STAT:EXPIRED ERR:1 TEXT:", want: smpp.Receipt{ID: "5", State: smpp.Expired, Error: "1", Done: done}},
		"parameters win":  {text: "id:1 stat:UNKNOWN", optional: []smpp.Optional{{Tag: smpp.TagReceiptedID, Value: []byte("2\x00")}, {Tag: smpp.TagMessageState, Value: []byte{8}}}, want: smpp.Receipt{ID: "2", State: smpp.Rejected}},
		"only parameters": {optional: []smpp.Optional{{Tag: smpp.TagReceiptedID, Value: []byte("2")}, {Tag: smpp.TagMessageState, Value: []byte{2}}}, want: smpp.Receipt{ID: "2", State: smpp.Delivered}},
		"text in payload": {optional: []smpp.Optional{{Tag: smpp.TagMessagePayload, Value: []byte("id:3 stat:ACCEPTD")}}, want: smpp.Receipt{ID: "3", State: smpp.Accepted}},
		"none":            {text: "hello", none: true},
	} {
		got, ok := smpp.ReadReceipt(smpp.Message{ESMClass: smpp.ESMReceipt, Short: []byte(c.text), Optional: c.optional})
		if ok == c.none || !c.none && got != c.want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func TestReadRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x0f1234567890123456"} {
		if _, err := smpp.Read(strings.NewReader(in)); !errors.Is(err, smpp.ErrPDU) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good, _ := message("hello").Encode()
	f.Add(good)
	f.Add(append(append([]byte(nil), good...), 0x00, 0x1e, 0x00, 0x02, '7', 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := smpp.Decode(b)
		if err != nil {
			return
		}
		smpp.ReadReceipt(m)
		again, err := m.Encode()
		if err != nil { // addresses longer than we would write
			return
		}
		if back, err := smpp.Decode(again); err != nil || !cmp.Equal(m, back) {
			t.Errorf("%+v became %+v, %v", m, back, err)
		}
	})
}
