package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/client"
)

const channelSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's examples

// Both directions of the API channel, against each other: what Post sends,
// Handler takes. Against a hub: TestContactForm in services/hub.
func ExampleChannel() {
	app := &client.Channel{Inbox: "app", Secret: channelSecret}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/api/app", app.Handler(func(_ context.Context, e client.ChannelEvent, _ string) error {
		fmt.Println(e.From.Name+":", e.Text)
		return nil
	}))
	server := httptest.NewServer(mux)
	defer server.Close()
	app.URL = server.URL
	err := app.Post(context.Background(), client.ChannelEvent{
		Type: "message", ID: "m1", From: &client.ChannelID{ID: "user-7", Name: "Ada"}, Text: "Where is my order?",
	})
	fmt.Println(err)
	// Output:
	// Ada: Where is my order?
	// <nil>
}

func TestHandlerTakesOnlyWhatIsSigned(t *testing.T) {
	t.Parallel()
	var last *http.Request
	var body []byte
	c := &client.Channel{URL: "http://hub.example", Inbox: "app", Secret: channelSecret, HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		b := new(bytes.Buffer)
		_, _ = b.ReadFrom(r.Body)
		last, body = r, b.Bytes()
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})}}
	if err := c.Post(t.Context(), client.ChannelEvent{Type: "message", ID: "m"}); err != nil {
		t.Fatal(err)
	}
	if got := last.URL.String(); got != "http://hub.example/hooks/api/app" {
		t.Error(got)
	}
	taken, broken := 0, false
	h := c.Handler(func(context.Context, client.ChannelEvent, string) error {
		taken++
		if broken {
			return errors.New("not now")
		}
		return nil
	})
	ask := func(change func(*http.Request), b []byte) int {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(b))
		r.Header = last.Header.Clone()
		if change != nil {
			change(r)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	got := []int{
		ask(nil, body),
		ask(nil, append(bytes.Clone(body), ' ')),
		ask(func(r *http.Request) { r.Header.Set("Webhook-Id", "other") }, body),
		ask(func(r *http.Request) { r.Header.Set("Webhook-Timestamp", "1700000000") }, body),
		ask(func(r *http.Request) { r.Header.Set("Webhook-Signature", "v1,AAAA v2,x") }, body),
		ask(func(r *http.Request) {
			r.Header.Set("Webhook-Signature", "v1,AAAA "+r.Header.Get("Webhook-Signature"))
		}, body),
	}
	broken = true
	got = append(got, ask(nil, body))
	if d := cmp.Diff([]int{204, 401, 401, 401, 401, 204, 503}, got); d != "" || taken != 3 {
		t.Errorf("%s %d taken, want 3", d, taken)
	}
}

func TestPostSaysWhatTryingAgainMends(t *testing.T) {
	t.Parallel()
	status := 503
	c := &client.Channel{URL: "http://hub.example", Inbox: "app", Secret: channelSecret, HTTP: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Status: "x", Body: http.NoBody}, nil
	})}}
	if err := c.Post(t.Context(), client.ChannelEvent{}); !errors.Is(err, client.ErrNotStored) {
		t.Error(err)
	}
	status = 401
	refused, ok := errors.AsType[*client.Error](c.Post(t.Context(), client.ChannelEvent{}))
	if !ok || refused.Status != 401 {
		t.Error(refused)
	}
	for _, wrong := range []client.Channel{{URL: "http://h", Secret: "short"}, {URL: "nowhere", Secret: channelSecret}} {
		if wrong.Post(t.Context(), client.ChannelEvent{}) == nil {
			t.Errorf("%+v: no error", wrong)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
