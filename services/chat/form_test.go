package chat_test

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/chat"
)

var asksEverything = map[string]string{
	"form_name": "required", "form_email": "required", "form_phone": "optional", "form_question": "optional",
	"form_question_text": "What is it about?", "form_consent": "You may keep this.",
}

func answer(id int, more frame) frame {
	f := frame{"type": "form", "client_id": clientID(id), "name": "Ada", "email": "ada@example.org", "consent": true}
	for k, v := range more {
		f[k] = v
	}
	return f
}

func TestNobodyWritesBeforeTheForm(t *testing.T) {
	t.Parallel()
	w := start(t, asksEverything)
	v := w.visit(frame{})
	welcome := v.await("welcome")
	want := map[string]any{
		"fields": []any{
			map[string]any{"name": "name", "required": true},
			map[string]any{"name": "email", "required": true},
			map[string]any{"name": "phone"},
			map[string]any{"name": "question"},
		},
		"question": "What is it about?", "consent": "You may keep this.",
	}
	if d := cmp.Diff(want, welcome["form"]); d != "" {
		t.Fatal(d)
	}
	// A client that skips it is refused, by message and by address, and told the field.
	v.send(message(1, "let me in"))
	if e := v.await("error"); e.str("code") != "form_required" || e.str("field") != "name" || e.str("client_id") != clientID(1) {
		t.Errorf("%v", e)
	}
	v.send(frame{"type": "email", "client_id": clientID(2), "address": "eve@example.org"})
	if e := v.await("error"); e.str("code") != "form_required" {
		t.Errorf("%v", e)
	}
	for i, c := range []struct {
		give  frame
		code  string
		field string
		limit float64
	}{
		{frame{"name": ""}, "form_required", "name", 0},
		{frame{"name": strings.Repeat("x", 121)}, "invalid", "name", 120},
		{frame{"name": "A\u202eda"}, "invalid", "name", 120},
		{frame{"email": nil}, "form_required", "email", 0},
		{frame{"email": "not one"}, "invalid", "email", 254},
		{frame{"phone": "030 1234"}, "invalid", "phone", 15},
		{frame{"phone": "+" + strings.Repeat("4", 20)}, "invalid", "phone", 15},
		{frame{"question": strings.Repeat("x", 2001)}, "invalid", "question", 2000},
		{frame{"consent": false}, "form_required", "consent", 0},
	} {
		v.send(answer(10+i, c.give))
		e := v.await("error")
		limit, _ := e["limit"].(float64)
		if e.str("code") != c.code || e.str("field") != c.field || limit != c.limit {
			t.Errorf("%v: %v", c.give, e)
		}
	}
	if n := w.hub.accepted(); n != 0 {
		t.Fatalf("%d inputs of refused answers", n)
	}

	v.send(answer(30, frame{"phone": "+49 30 123456", "question": "A kettle"}))
	v.await("ack")
	v.send(message(31, "thank you"))
	v.await("ack")
	items, err := chat.Parser{}.Parse(w.hub.raw(0))
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 2 {
		t.Fatalf("%d messages, want one for each address", len(items))
	}
	first, second := items[0].Message, items[1].Message
	if d := cmp.Diff(&channel.Address{Kind: "email", Address: "ada@example.org", Name: "Ada"}, first.ClaimsHandle); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(&channel.Address{Kind: "phone", Address: "+4930123456", Name: "Ada"}, second.ClaimsHandle); d != "" {
		t.Error(d)
	}
	for _, m := range []*channel.Message{first, second} {
		if d := cmp.Diff([]string{"offline_capture"}, m.Flags); d != "" {
			t.Error("what was typed counts as proven", d)
		}
		if m.From.Name != "Ada" || m.From.Kind != chat.Name {
			t.Errorf("from %+v", m.From)
		}
	}
	if first.ID == second.ID {
		t.Error("two messages with one id")
	}
	if d := cmp.Diff("What is it about?\nA kettle\n\nGiven before the chat (typed, not verified)\nName: Ada\nE-mail: ada@example.org\nPhone: +4930123456\nAgreed to: You may keep this.", first.Content.Text); d != "" {
		t.Error(d)
	}

	// It is not asked twice, and in no other tab.
	again := w.visit(frame{"token": welcome.str("token")})
	if f := again.await("welcome"); f["form"] != nil {
		t.Errorf("asked again: %v", f["form"])
	}
	again.send(message(40, "from a second tab"))
	again.await("ack")

	// A new question that must be answered is asked of those who are here already.
	changed := map[string]string{"form_phone": "required"}
	w.inboxes.set("shop", changed)
	other := w.visit(frame{})
	token := other.await("welcome").str("token")
	other.send(frame{"type": "form", "client_id": clientID(50), "phone": "+4930123456"})
	other.await("ack")
	changed["form_email"] = "required"
	w.inboxes.set("shop", changed)
	other.send(message(51, "hello"))
	if e := other.await("error"); e.str("code") != "form_required" || e.str("field") != "email" {
		t.Errorf("%v", e)
	}
	if f := w.visit(frame{"token": token}).await("welcome"); f["form"] == nil {
		t.Error("the new question is not asked")
	}
}

func TestALoginIsNotAsked(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"form_name": "required", "jwt_keys": "k1:HS256:" + secret}
	w := start(t, settings)
	v := w.visit(frame{"jwt": sign(t, jwt.SigningMethodHS256, []byte(secret), "k1", nil)})
	if f := v.await("welcome"); f["form"] != nil {
		t.Fatalf("%v", f)
	}
	v.send(message(1, "hello"))
	v.await("ack")
}

func TestAFormLeftEmptyBeginsNoConversation(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"form_name": "optional"})
	v := w.visit(frame{})
	token := v.await("welcome").str("token")
	v.send(frame{"type": "form", "client_id": clientID(1)})
	v.await("ack")
	if n := w.hub.accepted(); n != 0 {
		t.Errorf("%d inputs", n)
	}
	if f := w.visit(frame{"token": token}).await("welcome"); f["form"] != nil {
		t.Error("asked again")
	}
}

// A form frame is never taken where nothing is asked.
func TestNoFormIsTakenWhereNoneIsAsked(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	v := w.visit(frame{})
	v.await("welcome")
	v.send(answer(1, nil))
	if e := v.await("error"); e.str("code") != "invalid" || e.str("field") != "form" {
		t.Errorf("%v", e)
	}
}
