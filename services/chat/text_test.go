package chat_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
)

// texting is a chat inbox whose answers go on by mail and by SMS; its SMS inbox is in Germany.
func texting(t *testing.T, p *proofs, more map[string]string) following {
	t.Helper()
	set := map[string]string{"continue_by_sms": "texts"}
	for k, v := range more {
		set[k] = v
	}
	w := startFollowing(t, set, withProofs(p), func(d *chat.Deps) {
		d.Numbers = func(s map[string]string) handleid.Normaliser { return handleid.Normaliser{Region: s["region"]} }
	})
	w.inboxes.mu.Lock()
	w.inboxes.m["texts"] = inbox.Inbox{ID: "texts", Channel: "sms", Name: "Texts", Settings: map[string]string{"region": "DE"}}
	w.inboxes.mu.Unlock()
	return w
}

// provesNumber has a code sent to a number, and gives it back.
func (v *visitor) provesNumber(number string) frame {
	v.t.Helper()
	v.send(frame{"type": "prove", "phone": number})
	id := v.await("proof").str("id")
	v.send(frame{"type": "code", "id": id, "code": "123456"})
	return v.await("proof")
}

// answers has an agent say something, and returns where it is.
func (w following) answers(text string) string {
	w.t.Helper()
	out := w.hub.reply("shop", w.hub.address(0), text)
	if _, err := w.adapter.Send(w.t.Context(), out); err != nil {
		w.t.Fatal(err)
	}
	return out.Position
}

func TestAnAnswerFollowsByWhatWasProvenLast(t *testing.T) {
	t.Parallel()
	p := &proofs{}
	w := texting(t, p, nil)
	v := w.visit(frame{"lang": "de"})
	welcome := v.await("welcome")
	if welcome["sms"] != true || welcome["sms_to"] != nil || welcome["mail"] != true || !strings.HasPrefix(welcome.str("sms_like"), "+49 15") {
		t.Fatalf("%v", welcome)
	}
	v.send(message(1, "hello"))
	v.await("ack")
	v.proves("ada@example.org")
	if f := v.provesNumber("0151 2345-6789"); f.str("state") != "proven" {
		t.Fatalf("%v", f)
	}
	if q := p.asked[1]; q.GetKind() != "phone" || q.GetAddress() != "+4915123456789" || q.GetSendBy() != "texts" {
		t.Errorf("asked %v", q)
	}
	w.gone(v)
	first := w.answers("one")
	w.clock.move(11 * time.Minute)
	w.look()
	w.look()
	want := []string{`+4915123456789 by texts in de after "" up to ` + first}
	if d := cmp.Diff(want, w.f.sent()); d != "" {
		t.Fatal(d)
	}
	// Back, he is told where his answers go; and proves his mailbox anew.
	back := w.visit(frame{"token": welcome.str("token"), "lang": "de"})
	if f := back.await("welcome"); f.str("sms_to") != "…789" || f.str("mail_to") != "a…@example.org" {
		t.Errorf("%v", f)
	}
	back.proves("ada@example.org")
	w.gone(back)
	second := w.answers("two")
	w.clock.move(11 * time.Minute)
	w.look()
	want = append(want, `ada@example.org by support in de after "`+first+`" up to `+second)
	if d := cmp.Diff(want, w.f.sent()); d != "" {
		t.Error(d)
	}
}

// Where one way may not be gone (opted out, not his any more), the other is.
func TestAnAnswerFollowsTheOtherWay(t *testing.T) {
	t.Parallel()
	w := texting(t, &proofs{}, nil)
	v := w.visit(frame{})
	v.await("welcome")
	v.send(message(1, "hello"))
	v.await("ack")
	v.proves("ada@example.org")
	v.provesNumber("+49 151 23456789")
	w.gone(v)
	w.f.refuses("phone", connect.NewError(connect.CodeFailedPrecondition, nil))
	first := w.answers("one")
	w.clock.move(11 * time.Minute)
	w.look()
	want := []string{`+4915123456789 by texts in  after "" up to ` + first, `ada@example.org by support in  after "" up to ` + first}
	if d := cmp.Diff(want, w.f.sent()); d != "" {
		t.Fatal(d)
	}
	// What only fails for now is not sent the other way: it would come twice.
	w.f.refuses("phone", connect.NewError(connect.CodeUnavailable, nil))
	second := w.answers("two")
	w.clock.move(11 * time.Minute)
	w.look()
	w.f.refuses("phone", nil)
	w.clock.move(2 * time.Minute)
	w.look()
	again := fmt.Sprintf(`+4915123456789 by texts in  after %q up to %s`, first, second)
	if d := cmp.Diff(append(want, again, again), w.f.sent()); d != "" {
		t.Error(d)
	}
}

// A number that was typed, left or asked for a code, is never written to.
func TestATypedNumberGetsNothingButTheCode(t *testing.T) {
	t.Parallel()
	w := texting(t, &proofs{}, nil)
	v := w.visit(frame{})
	v.await("welcome")
	v.send(frame{"type": "phone", "client_id": clientID(1), "phone": "+49 151 23456789"})
	v.await("ack")
	v.send(frame{"type": "prove", "phone": "+49 151 23456789"})
	if f := v.await("proof"); f.str("to") != "…789" {
		t.Errorf("%v", f)
	}
	v.send(frame{"type": "code", "id": "proof_1", "code": "000000"})
	v.await("proof")
	w.gone(v)
	w.answers("secret")
	w.clock.move(time.Hour)
	w.look()
	if w.f.sent() != nil {
		t.Errorf("sent %v", w.f.sent())
	}
	// Agents hear of it as a claim.
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	items, err := chat.Parser{}.Parse(w.hub.raws[w.hub.order[0]])
	if err != nil {
		t.Fatal(err)
	}
	m := items[0].Message
	if m.ClaimsHandle == nil || m.ClaimsHandle.Kind != "phone" || m.ClaimsHandle.Address != "+4915123456789" || !cmp.Equal(m.Flags, []string{"offline_capture"}) ||
		m.Content.Text != "Left phone number +4915123456789 for an answer (typed, not verified)." {
		t.Errorf("%+v", m)
	}
}

// What cannot be written to is refused with the field and what it may hold; it costs no try.
func TestANumberThatCannotBeWrittenTo(t *testing.T) {
	t.Parallel()
	p := &proofs{}
	w := texting(t, p, nil)
	v := w.visit(frame{})
	v.await("welcome")
	for i, number := range []string{"12", "030 12345678", "0900 1234567", "+49 151 23456789 ext. 5", "+1 900 234 5678", "my phone", strings.Repeat("1", 5000)} {
		want := frame{"type": "error", "code": "invalid", "field": "phone", "limit": 15.0, "example": "+49 1512 3456789"}
		v.send(frame{"type": "prove", "phone": number})
		if d := cmp.Diff(want, v.await("error")); d != "" {
			t.Errorf("prove %.30s: %s", number, d)
		}
		want["client_id"] = clientID(i)
		v.send(frame{"type": "phone", "client_id": clientID(i), "phone": number})
		if d := cmp.Diff(want, v.await("error")); d != "" {
			t.Errorf("leave %.30s: %s", number, d)
		}
	}
	if len(p.asked) > 0 || len(w.hub.order) > 0 {
		t.Errorf("asked %v, stored %v", p.asked, w.hub.order)
	}
	if f := v.provesNumber("0151 23456789"); f.str("state") != "proven" {
		t.Errorf("%v", f)
	}
	p.fails(connect.NewError(connect.CodeInvalidArgument, nil))
	v.send(frame{"type": "prove", "phone": "0151 23456789"})
	if f := v.await("error"); f.str("code") != "invalid" || f.str("field") != "phone" {
		t.Errorf("%v", f)
	}
}

// Without an SMS inbox it is not offered, and a client that asks all the same is refused.
func TestNothingGoesBySMSWithoutAnInbox(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]string{"none": "", "of another channel": "support", "that is not there": "nowhere"} {
		p := &proofs{}
		w := texting(t, p, map[string]string{"continue_by_sms": set})
		v := w.visit(frame{})
		if f := v.await("welcome"); f["sms"] != nil || f["sms_like"] != nil {
			t.Errorf("%s: %v", name, f)
		}
		v.send(frame{"type": "prove", "phone": "+49 151 23456789"})
		code := "invalid"
		if set != "" {
			code = "unavailable" // our settings are wrong, not his number
		}
		if e := v.await("error"); e.str("code") != code || e.str("field") != "proof" {
			t.Errorf("%s: %v", name, e)
		}
		v.send(frame{"type": "phone", "client_id": clientID(1), "phone": "+49 151 23456789"})
		if e := v.await("error"); e.str("code") != "invalid" || e.str("field") != "phone" {
			t.Errorf("%s: %v", name, e)
		}
		if len(p.asked) > 0 {
			t.Errorf("%s: asked %v", name, p.asked)
		}
	}
}

// An SMS inbox alone is enough.
func TestOnlyBySMS(t *testing.T) {
	t.Parallel()
	w := texting(t, &proofs{}, map[string]string{"continue_by": ""})
	v := w.visit(frame{})
	if f := v.await("welcome"); f["sms"] != true || f["mail"] != nil {
		t.Fatalf("%v", f)
	}
	v.send(message(1, "hello"))
	v.await("ack")
	v.send(frame{"type": "prove", "address": "ada@example.org"})
	if e := v.await("error"); e.str("field") != "proof" {
		t.Errorf("%v", e)
	}
	v.provesNumber("0151 23456789")
	// What was answered before he had proven it, and not read, follows as well.
	position := w.answers("one")
	w.gone(v)
	w.clock.move(11 * time.Minute)
	w.look()
	if d := cmp.Diff([]string{`+4915123456789 by texts in  after "" up to ` + position}, w.f.sent()); d != "" {
		t.Error(d)
	}
}

// Erasing a visitor destroys the keys of both addresses.
func TestForgettingANumber(t *testing.T) {
	t.Parallel()
	w := texting(t, &proofs{}, nil)
	v := w.visit(frame{})
	v.await("welcome")
	v.send(message(1, "hello"))
	v.await("ack")
	v.proves("ada@example.org")
	v.provesNumber("0151 23456789")
	handle := w.handle(w.hub.address(0))
	kept := chat.Kept(t.Context(), w.deps.State, handle)
	if len(kept) != 2 {
		t.Fatalf("%d addresses are kept", len(kept))
	}
	if err := chat.Forget(t.Context(), w.deps.State, w.deps.Keys, w.deps.Blobs, []string{handle}); err != nil {
		t.Fatal(err)
	}
	for _, x := range kept {
		if _, err := w.deps.Keys.Open(t.Context(), x, []byte(handle)); !errors.Is(err, crypt.ErrShredded) {
			t.Errorf("an address can still be read: %v", err)
		}
	}
}
