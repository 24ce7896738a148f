package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
)

// forwards is the conversation target's part: it notes what it was asked to send.
type forwards struct {
	mu          sync.Mutex
	transcripts []*channelv1.ForwardTranscriptRequest
	replies     []*channelv1.ForwardRepliesRequest
	err         error
	kinds       map[string]error // of replies to addresses of a kind
}

func (f *forwards) ForwardTranscript(_ context.Context, q *channelv1.ForwardTranscriptRequest) (*channelv1.ForwardTranscriptResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	f.transcripts = append(f.transcripts, q)
	return &channelv1.ForwardTranscriptResponse{Messages: 2}, nil
}

func (f *forwards) ForwardReplies(_ context.Context, q *channelv1.ForwardRepliesRequest) (*channelv1.ForwardRepliesResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replies = append(f.replies, q)
	if err := f.kinds[q.GetKind()]; err != nil {
		return nil, err
	}
	return &channelv1.ForwardRepliesResponse{Messages: 1}, f.err
}

func (f *forwards) fails(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// refuses has replies to addresses of a kind fail.
func (f *forwards) refuses(kind string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kinds = map[string]error{kind: err}
}

func (f *forwards) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, q := range f.replies {
		out = append(out, fmt.Sprintf("%s by %s in %s after %q up to %s", q.GetAddress(), q.GetSendBy(), q.GetLanguage(), q.GetAfter(), q.GetAtLeast()))
	}
	return out
}

// clock is moved by the test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type following struct {
	*world
	f     *forwards
	clock *clock
	deps  *chat.Deps
}

func startFollowing(t *testing.T, more map[string]string, change ...func(*chat.Deps)) following {
	t.Helper()
	f, c := &forwards{}, &clock{t: time.Now()}
	set := map[string]string{"continue_by": "support", "continue_after": "10m"}
	for k, v := range more {
		set[k] = v
	}
	var deps *chat.Deps
	w := start(t, set, withProofs(&proofs{}), func(d *chat.Deps) {
		deps = d
		d.Forward, d.Now, d.Timing.Follow = f, c.now, time.Hour // the test follows up by hand
		for _, c := range change {
			c(d)
		}
	})
	w.inboxes.mu.Lock()
	w.inboxes.m["support"] = inbox.Inbox{ID: "support", Channel: "email", Name: "Support"}
	w.inboxes.mu.Unlock()
	return following{w, f, c, deps}
}

func (w following) handle(address string) string {
	return handleid.Of(w.deps.Keys, channel.Address{Kind: chat.Name, Scope: "shop", Address: address})
}

func (w following) look() {
	w.t.Helper()
	if err := w.adapter.FollowUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// gone waits until the hub has seen the last of a visitor's tabs close.
func (w following) gone(v *visitor) {
	v.conn.Close()
	for w.count("weftline_chat_connections") > 0 {
		runtime.Gosched()
	}
}

func (v *visitor) proves(address string) {
	v.t.Helper()
	v.send(frame{"type": "prove", "address": address})
	id := v.await("proof").str("id")
	v.send(frame{"type": "code", "id": id, "code": "123456"})
	if f := v.await("proof"); f.str("state") != "proven" {
		v.t.Fatalf("%v", f)
	}
}

func TestAnAnswerFollowsWhoHasLeftOnce(t *testing.T) {
	t.Parallel()
	w := startFollowing(t, nil)
	v := w.visit(frame{"lang": "de"})
	welcome := v.await("welcome")
	if welcome["mail"] != true || welcome["mail_to"] != nil {
		t.Fatalf("%v", welcome)
	}
	v.send(message(1, "hello"))
	v.await("ack")
	v.proves("ada@example.org")
	address := w.hub.address(0)
	answer := func(text string) string {
		t.Helper()
		out := w.hub.reply("shop", address, text)
		if _, err := w.adapter.Send(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		return out.Position
	}
	// While he is here, whatever time it is, nothing goes by mail.
	first := answer("one")
	w.clock.move(time.Hour)
	w.look()
	w.gone(v)
	// Nor while he may be back at once.
	w.clock.move(9 * time.Minute)
	w.look()
	if got := w.f.sent(); got != nil {
		t.Fatalf("sent too soon: %v", got)
	}
	w.clock.move(2 * time.Minute)
	w.look()
	w.look()
	want := []string{`ada@example.org by support in de after "" up to ` + first}
	if d := cmp.Diff(want, w.f.sent()); d != "" {
		t.Fatal(d)
	}
	// The next answer goes without the first.
	second := answer("two")
	w.clock.move(11 * time.Minute)
	w.look()
	want = append(want, `ada@example.org by support in de after "`+first+`" up to `+second)
	if d := cmp.Diff(want, w.f.sent()); d != "" {
		t.Fatal(d)
	}
	// What he reads when he is back is not sent after he has left again.
	back := w.visit(frame{"token": welcome.str("token")})
	if f := back.await("welcome"); f.str("mail_to") != "a…@example.org" {
		t.Errorf("%v", f)
	}
	third := answer("three")
	for m, _ := back.await("message")["message"].(map[string]any); m["position"] != third; {
		m, _ = back.await("message")["message"].(map[string]any)
	}
	back.send(frame{"type": "read", "position": third})
	for handle := w.handle(address); chat.ReadUpTo(t.Context(), w.deps.State, handle) < third; {
		runtime.Gosched()
	}
	back.send(message(2, "thanks"))
	back.await("ack")
	w.gone(back)
	w.clock.move(time.Hour)
	w.look()
	if d := cmp.Diff(want, w.f.sent()); d != "" {
		t.Error(d)
	}
}

// What cannot be sent now is tried again; what may not be sent is left.
func TestAnAnswerThatCannotFollow(t *testing.T) {
	t.Parallel()
	w := startFollowing(t, nil)
	v := w.visit(frame{})
	v.await("welcome")
	v.send(message(1, "hello"))
	v.await("ack")
	v.proves("ada@example.org")
	if _, err := w.adapter.Send(t.Context(), w.hub.reply("shop", w.hub.address(0), "one")); err != nil {
		t.Fatal(err)
	}
	w.gone(v)
	w.f.fails(connect.NewError(connect.CodeUnavailable, nil))
	w.clock.move(11 * time.Minute)
	w.look()
	w.clock.move(2 * time.Minute)
	w.look()
	w.f.fails(connect.NewError(connect.CodeFailedPrecondition, nil))
	w.clock.move(3 * time.Minute)
	w.look()
	w.clock.move(time.Hour)
	w.look()
	if n := len(w.f.sent()); n != 3 {
		t.Errorf("%d tries, wanted two and the refused one", n)
	}
}

// An address that was typed, left or asked for a code, is never written to.
func TestATypedAddressGetsNothingButTheCode(t *testing.T) {
	t.Parallel()
	w := startFollowing(t, nil)
	v := w.visit(frame{})
	v.await("welcome")
	v.send(frame{"type": "email", "client_id": clientID(1), "address": "victim@example.org"})
	v.await("ack")
	v.send(frame{"type": "prove", "address": "victim@example.org"})
	v.await("proof")
	v.send(frame{"type": "code", "id": "proof_1", "code": "000000"})
	v.await("proof")
	v.send(frame{"type": "transcript"})
	if e := v.await("error"); e.str("code") != "address_required" || e.str("field") != "transcript" {
		t.Errorf("%v", e)
	}
	if _, err := w.adapter.Send(t.Context(), w.hub.reply("shop", w.hub.address(0), "secret")); err != nil {
		t.Fatal(err)
	}
	w.gone(v)
	w.clock.move(time.Hour)
	w.look()
	if w.f.sent() != nil || w.f.transcripts != nil {
		t.Errorf("sent %v %v", w.f.sent(), w.f.transcripts)
	}
}

func TestTheTranscriptGoesToTheProvenAddress(t *testing.T) {
	t.Parallel()
	w := startFollowing(t, nil)
	v := w.visit(frame{"lang": "fr"})
	v.await("welcome")
	v.send(message(1, "hello"))
	v.await("ack")
	v.proves("ada@example.org")
	for range 3 {
		v.send(frame{"type": "transcript", "address": "victim@example.org"})
		if f := v.await("transcript"); f.str("to") != "a…@example.org" || f["messages"] != 2.0 {
			t.Fatalf("%v", f)
		}
	}
	v.send(frame{"type": "transcript"})
	if e := v.await("error"); e.str("code") != "rate" || e.str("field") != "transcript" {
		t.Errorf("%v", e)
	}
	for _, q := range w.f.transcripts {
		if q.GetAddress() != "ada@example.org" || q.GetHandle().GetAddress() != w.hub.address(0) || q.GetSendBy() != "support" || q.GetLanguage() != "fr" {
			t.Errorf("%v", q)
		}
	}
	// The hub says that it is not his any more.
	w.clock.move(time.Hour)
	w.f.fails(connect.NewError(connect.CodeFailedPrecondition, nil))
	v.send(frame{"type": "transcript"})
	if e := v.await("error"); e.str("code") != "invalid" || e.str("field") != "transcript" {
		t.Errorf("%v", e)
	}
}

// Without an e-mail inbox neither is offered, and a client that asks all the same is refused.
func TestNothingGoesByMailWithoutAnInbox(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]string{"none": "", "of another channel": "shop", "that is not there": "nowhere"} {
		w := startFollowing(t, map[string]string{"continue_by": set})
		v := w.visit(frame{})
		if f := v.await("welcome"); f["mail"] != nil {
			t.Errorf("%s: %v", name, f)
		}
		v.send(frame{"type": "transcript"})
		if e := v.await("error"); e.str("code") != "invalid" || e.str("field") != "transcript" {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// Erasing a visitor destroys the key of his address.
func TestForgettingAnAddress(t *testing.T) {
	t.Parallel()
	w := startFollowing(t, nil)
	d := w.deps
	v := w.visit(frame{})
	welcome := v.await("welcome")
	token := welcome.str("token")
	v.send(message(1, "hello"))
	v.await("ack")
	v.proves("ada@example.org")
	handle := w.handle(w.hub.address(0))
	before, ok := chat.MailKey(t.Context(), d.State, handle)
	if !ok {
		t.Fatal("no address is kept")
	}
	var up struct{ ID string }
	if err := json.NewDecoder(w.post("/chat/shop/upload", welcome.str("ticket"), "a.txt", []byte("never sent")).Body).Decode(&up); err != nil {
		t.Fatal(err)
	}
	file, err := d.Keys.Seal(t.Context(), "blob/"+up.ID, []byte("x"), nil) // as a backup has it
	if err != nil {
		t.Fatal(err)
	}
	if err := chat.Forget(t.Context(), d.State, d.Keys, d.Blobs, []string{handle}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Keys.Open(t.Context(), file, nil); !errors.Is(err, crypt.ErrShredded) {
		t.Errorf("the file he never sent can still be read: %v", err)
	}
	if _, err := d.Keys.Open(t.Context(), before, []byte(handle)); !errors.Is(err, crypt.ErrShredded) {
		t.Errorf("the address can still be read: %v", err)
	}
	if f := w.visit(frame{"token": token}).await("welcome"); f["mail_to"] != nil {
		t.Errorf("%v", f)
	}
}
