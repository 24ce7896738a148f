package sms_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/sms"
)

// firm is a provider as its documentation describes it.
type firm struct {
	name, counterpart string
	settings          map[string]string
	secrets           [2]string // with which its requests are proven
	without           map[string]string
	// incoming is what it posts for a message, outgoing for a state of the message that was sent as sent.
	incoming func(id, text, secret string, at time.Time) *http.Request
	report   func(state, detail string, sent sentBody) *http.Request
	// takes checks a call that sends, and answers it.
	takes func(t testing.TB, r *http.Request, body []byte) (text, to string)
	reply func(w http.ResponseWriter, n int)
	fails func(w http.ResponseWriter)
	// failed and detail: a state that says it has failed, and what an agent reads then. refused: of fails.
	failed, detail, refused string
	states                  map[string]channel.State
}

// sentBody is the last call that sent.
type sentBody struct {
	json map[string]any
	id   string
}

func (f firm) start(t testing.TB, intake channel.Intake) (*world, func() sentBody) {
	var mu sync.Mutex
	var n int
	var last sentBody
	p := &hostedtest.Provider{Sends: func(r *http.Request) bool { return r.Method == http.MethodPost }}
	p.Serve = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Method != http.MethodPost {
			answerJSON(w, http.StatusOK, map[string]any{})
			return
		}
		text, to := f.takes(t, r, body)
		if to != customer {
			t.Errorf("sent to %q", to)
		}
		if text == "refuse me" {
			f.fails(w)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		last = sentBody{map[string]any{}, fmt.Sprintf("id-%d", n)}
		if err := json.Unmarshal(body, &last.json); err != nil {
			t.Error(err)
		}
		p.Show(text)
		f.reply(w, n)
	}
	w := newWorld(t, intake, p, f.settings)
	return w, func() sentBody {
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}

func (f firm) conform(t *testing.T) {
	channeltest.Run(t, channeltest.Harness{
		Name: "SMS (" + f.name + ")", Counterpart: channeltest.OurFake + f.counterpart, Without: f.without,
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			w, _ := f.start(t, intake)
			return channeltest.Subject{
				Adapter: w.adapter, Shown: w.Shown, API: w.API("other"), Health: w.inboxes.Reported,
				Deliver: func(_ context.Context, id, text string) error {
					return w.accepted(f.incoming(id, text, f.secrets[0], time.Now()))
				},
				SaidAt: func(_ context.Context, id, text string, at time.Time) error {
					return w.accepted(f.incoming(id, text, f.secrets[0], at))
				},
				Hook: &channeltest.Hook{
					Handler: w.mux, Secrets: f.secrets, Covers: true, Timed: f.without["OldProofIsRefused"] == "",
					Request: func(id, text, secret string, at time.Time) *http.Request { return f.incoming(id, text, secret, at) },
				},
			}
		},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "main", Customer: "c1", At: time.Now(), To: to(customer)}
		},
	})
}

// story: sent, reported on, refused, and what may have arrived is not sent again by itself.
func (f firm) story(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	w, last := f.start(t, in)
	out := channel.Outbound{ID: "reply-1", Channel: sms.Name, Inbox: "main", At: time.Now(), To: to(customer), Content: channel.Content{Text: "hello שלום 👋"}, Attempt: 1}
	r, err := w.sender().Send(t.Context(), out)
	if err != nil || r.State != channel.StateSent || r.ProviderID != "id-1" {
		t.Fatalf("%+v, %v", r, err)
	}
	for word, want := range f.states {
		before := len(in.Taken())
		if err := w.accepted(f.report(word, "", last())); err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		taken := in.Taken()[before:]
		if want == "" {
			if len(taken) != 0 {
				t.Errorf("%s is no news, and was stored", word)
			}
			continue
		}
		if len(taken) != 1 {
			t.Fatalf("%s: %d inputs", word, len(taken))
		}
		items, err := w.adapter.Parse(taken[0])
		if err != nil || items[0].Receipt == nil || items[0].Receipt.State != want || items[0].Receipt.Outbound != "reply-1" {
			t.Errorf("%s: %+v, %v", word, items, err)
		}
	}
	items, err := w.read(in, f.report(f.failed, "why", last()))
	if err != nil || items[0].Receipt.State != channel.StateFailed || items[0].Receipt.Detail != f.detail {
		t.Errorf("failed: %+v, %v", items[0].Receipt, err)
	}
	out.ID, out.Content.Text = "reply-2", "refuse me"
	if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != channel.StateFailed || r.Detail != f.refused {
		t.Errorf("refused: %+v, %v", r, err)
	}
	out.ID, out.Content.Text = "reply-3", "lost"
	w.API("").Script(channeltest.Answer{Lost: true})
	for attempt, want := range []channel.State{channel.StateUnknown, channel.StateUnknown, channel.StateSent} { // the third is a person's
		out.Attempt, out.Unknown = attempt+1, attempt > 0
		if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != want {
			t.Fatalf("attempt %d: %+v, %v", attempt+1, r, err)
		}
	}
	if n := len(w.Shown()); n != 3 {
		t.Errorf("%d are shown, want 3: %q", n, w.Shown())
	}
	inboxes := w.inboxes.List("")
	if err := sms.Channel(w.Client(), nil).Test(t.Context(), inboxes[0]); err != nil {
		t.Errorf("the live test: %v", err)
	}
}

func TestConformanceTelnyx(t *testing.T)      { t.Parallel(); telnyxFirm().conform(t) }
func TestConformanceVonage(t *testing.T)      { t.Parallel(); vonageFirm().conform(t) }
func TestConformanceMessageBird(t *testing.T) { t.Parallel(); messagebirdFirm().conform(t) }
func TestConformancePlivo(t *testing.T)       { t.Parallel(); plivoFirm().conform(t) }

func TestFakeTelnyxStory(t *testing.T)      { telnyxFirm().story(t) }
func TestFakeVonageStory(t *testing.T)      { vonageFirm().story(t) }
func TestFakeMessageBirdStory(t *testing.T) { messagebirdFirm().story(t) }
func TestFakePlivoStory(t *testing.T)       { plivoFirm().story(t) }

func hook(method, query, kind, body string) *http.Request {
	r := httptest.NewRequest(method, hosted.HookPath(sms.Name, "main")+query, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r
}

func jsonBody(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func field(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func decoded(t testing.TB, body []byte) map[string]any {
	m := map[string]any{}
	if err := json.Unmarshal(body, &m); err != nil {
		t.Error(err)
	}
	return m
}
