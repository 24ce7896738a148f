package channeltest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/weftline/weftline/pkg/channel"
)

func api(t *testing.T, h Harness) (Subject, context.Context) {
	t.Helper()
	s := h.New(t, &Intake{})
	need(t, s.API != nil, "API")
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	t.Cleanup(cancel)
	return s, ctx
}

func retryAfter(t *testing.T, h Harness) {
	s, ctx := api(t, h)
	need(t, s.API.Other != "", "API.Other")
	s.API.Script(Answer{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"7"}}})
	_, err := s.Adapter.Send(ctx, outbound(s, h, "out-1", "too many"))
	after, ok := errors.AsType[*channel.RetryAfterError](err)
	if !ok || after.After < 6*time.Second || after.After > 8*time.Second {
		t.Fatalf("429 with Retry-After: 7 gives %v", err)
	}
	calls := s.API.Calls()
	if _, err := s.Adapter.Send(ctx, outbound(s, h, "out-2", "the next")); err == nil {
		t.Error("the next message of the account did not wait")
	}
	if n := s.API.Calls(); n != calls {
		t.Error("the provider was called again before its time")
	}
	other := outbound(s, h, "out-3", "of another account")
	other.Inbox = s.API.Other
	if r, err := s.Adapter.Send(ctx, other); err != nil || r.State != channel.StateSent {
		t.Errorf("another account: %+v, %v", r, err)
	}
}

func attention(t *testing.T, h Harness) {
	s, ctx := api(t, h)
	need(t, s.Health != nil, "Health")
	s.API.Script(Answer{Status: http.StatusUnauthorized, Body: "{}"})
	out := outbound(s, h, "out-1", "token")
	if r, err := s.Adapter.Send(ctx, out); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Fatalf("401 gives %+v, %v", r, err)
	}
	if got := s.Health(out.Inbox); got.State != "needs_attention" || got.Detail == "" {
		t.Errorf("health is %+v", got)
	}
	if r, err := s.Adapter.Send(ctx, outbound(s, h, "out-1", "token")); err != nil || r.State != channel.StateSent {
		t.Errorf("with a good token again: %+v, %v", r, err)
	}
	if got := s.Health(out.Inbox); got.State != "ok" {
		t.Errorf("health stays %+v", got)
	}
}

// revoked: nobody sends, and the inbox says all the same that its token is no good.
func revoked(t *testing.T, h Harness) {
	s, ctx := api(t, h)
	need(t, s.API.Revoke != nil, "API.Revoke")
	need(t, s.Health != nil, "Health")
	inbox := h.Outbound(s).Inbox
	var asked sync.WaitGroup
	defer asked.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Whoever asks for messages hears of his token when his question is answered: something comes, and he asks anew.
	stir := func(id string) {
		if s.Hook == nil {
			asked.Go(func() { _ = s.Deliver(ctx, id, "still here") })
		}
	}
	minuteLater := func(state string) bool {
		return until(t, h, func() bool {
			if s.API.Minute != nil {
				s.API.Minute()
			}
			return s.Health(inbox).State == state
		})
	}
	stir("revoked-0")
	if !minuteLater("ok") {
		t.Fatalf("health at first is %+v", s.Health(inbox))
	}
	s.API.Revoke(true)
	stir("revoked-1")
	if !minuteLater("needs_attention") || s.Health(inbox).Detail == "" {
		t.Fatalf("with a revoked token health is %+v", s.Health(inbox))
	}
	if s.Hook != nil {
		if err := s.Deliver(ctx, "revoked-1", "still here"); err != nil {
			t.Errorf("what comes in is not taken: %v", err)
		}
		if got := s.Health(inbox); got.State != "needs_attention" {
			t.Errorf("because something came in, health is %+v", got)
		}
	}
	s.API.Revoke(false)
	stir("revoked-2")
	if !minuteLater("ok") {
		t.Errorf("with a good token again health stays %+v", s.Health(inbox))
	}
}

// lostAnswer: the message went out and nobody said so.
func lostAnswer(t *testing.T, h Harness) {
	s, ctx := api(t, h)
	s.API.Script(Answer{Lost: true})
	out := outbound(s, h, "out-1", "lost answer")
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := s.Adapter.Send(short, out)
	switch {
	case err == nil && r.State == channel.StateUnknown:
	case err != nil && (s.Adapter.Capabilities().IdempotentSend || short.Err() != nil):
	default:
		t.Fatalf("a lost answer gives %+v, %v", r, err)
	}
	if look, ok := s.Adapter.(channel.Looker); ok {
		found, err := look.Look(ctx, out)
		if err != nil || found.State == "" {
			t.Fatalf("what arrived is not found: %+v, %v", found, err)
		}
	} else if s.Adapter.Capabilities().IdempotentSend {
		out.Attempt, out.Unknown = 2, true
		if r, err := s.Adapter.Send(ctx, out); err != nil || r.State != channel.StateSent {
			t.Fatalf("asked again: %+v, %v", r, err)
		}
	}
	await(t, h, s, "lost answer", 1)
}

func serverError(t *testing.T, h Harness) {
	s, ctx := api(t, h)
	s.API.Script(Answer{Status: http.StatusServiceUnavailable})
	if r, err := s.Adapter.Send(ctx, outbound(s, h, "out-1", "again")); err == nil {
		t.Errorf("503 gives %+v", r)
	}
	if r, err := s.Adapter.Send(ctx, outbound(s, h, "out-1", "again")); err != nil || r.State != channel.StateSent {
		t.Errorf("the second try: %+v, %v", r, err)
	}
	s.API.Script(Answer{Status: http.StatusBadRequest, Body: "{}"})
	if r, err := s.Adapter.Send(ctx, outbound(s, h, "out-2", "refused")); err != nil || r.State != channel.StateFailed || r.Detail == "" {
		t.Errorf("400 gives %+v, %v", r, err)
	}
}

// texts that channels have torn before.
var texts = []string{
	"שלום, מה שלומך? 123", "مرحبا بالعالم — كيف الحال؟", "👨‍👩‍👧‍👦 🇩🇪 👍🏽", "á ñ Å", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 漢字仮名",
	"<b>no markup</b> & \"quotes\" *stars* _underlines_ `ticks`",
}

func textSurvives(t *testing.T, h Harness) {
	s := h.New(t, &Intake{})
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	for i, text := range texts {
		if r, err := s.Adapter.Send(ctx, outbound(s, h, "out-"+string(rune('a'+i)), text)); err != nil || r.State == channel.StateFailed {
			t.Fatalf("%q: %+v, %v", text, r, err)
		}
		await(t, h, s, text, 1)
	}
}

func textLimit(t *testing.T, h Harness) {
	s := h.New(t, &Intake{})
	caps := s.Adapter.Capabilities()
	need(t, caps.TextLimit > 0, "text limit")
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	whole := strings.Repeat("a", caps.TextLimit)
	if r, err := s.Adapter.Send(ctx, outbound(s, h, "out-1", whole)); err != nil || r.State == channel.StateFailed {
		t.Fatalf("a text of the limit: %+v, %v", r, err)
	}
	await(t, h, s, whole, 1)
	before := len(s.Shown())
	family := "👨‍👩‍👧‍👦"
	long := strings.Repeat(family, caps.TextLimit/caps.TextUnit.Length(family)+2)
	r, err := s.Adapter.Send(ctx, outbound(s, h, "out-2", long))
	if err != nil {
		t.Fatal(err)
	}
	if r.State == channel.StateFailed {
		if r.Detail == "" {
			t.Error("refused without a reason")
		}
		return
	}
	if !until(t, h, func() bool { return strings.Join(s.Shown()[before:], "") == long }) {
		t.Fatalf("%d characters became %q", uniseg.GraphemeClusterCount(long), clip(s.Shown()[before:]))
	}
	got := s.Shown()[before:]
	for _, p := range got {
		if caps.TextUnit.Length(p) > caps.TextLimit {
			t.Errorf("a piece has %d, the limit is %d", caps.TextUnit.Length(p), caps.TextLimit)
		}
		if strings.ReplaceAll(p, family, "") != "" {
			t.Error("a character is torn")
		}
	}
}

func health(t *testing.T, h Harness) {
	s := h.New(t, &Intake{})
	need(t, s.Health != nil, "Health")
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	out := outbound(s, h, "out-1", "health")
	if err := s.Deliver(ctx, "health-1", "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Adapter.Send(ctx, out); err != nil {
		t.Fatal(err)
	}
	if got := s.Health(out.Inbox); got.State != "ok" || got.LastIn.IsZero() || got.LastOut.IsZero() {
		t.Errorf("health is %+v", got)
	}
}

func clip(texts []string) []string {
	var out []string
	for _, s := range texts {
		out = append(out, s[:min(len(s), 60)])
	}
	return out
}
