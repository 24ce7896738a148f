package peer_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/peer"
)

const secret = "0123456789abcdef0123456789abcdef"

func TestOnlyPeersGetInAndTheActorTravels(t *testing.T) {
	t.Parallel()
	back := httptest.NewServer(peer.Server(secret, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := actor.From(r.Context())
		_, _ = io.WriteString(w, who.Name+r.Header.Get("Cookie"))
	})))
	defer back.Close()
	base, _ := url.Parse(back.URL)
	proxy := peer.Proxy(base, secret)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.ServeHTTP(w, r.WithContext(actor.With(r.Context(), actor.Actor{ID: "a", Name: "Olga"})))
	}))
	defer front.Close()

	get := func(u string, h http.Header) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		req.Header = h
		res, err := front.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	forged := http.Header{"Weftline-Actor": {`{"Name":"Mallory","Owner":true}`}, "Cookie": {"a=b"}}
	if code, body := get(front.URL, forged); code != 200 || body != "Olga" {
		t.Errorf("through the proxy: %d %q", code, body)
	}
	for _, auth := range []string{"", "Peer ", "Peer x" + secret, "Bearer " + secret} {
		h := forged.Clone()
		h.Set("Authorization", auth)
		if code, _ := get(back.URL, h); code != http.StatusUnauthorized {
			t.Errorf("%q got %d", auth, code)
		}
	}
	open := httptest.NewServer(peer.Server("", http.NotFoundHandler()))
	defer open.Close()
	if code, _ := get(open.URL, http.Header{"Authorization": {"Peer "}}); code != http.StatusUnauthorized {
		t.Errorf("empty secret let someone in: %d", code)
	}
}

type scripted struct{ err error }

func (s scripted) Head(context.Context) (string, error) { return "h", nil }
func (s scripted) Replay(ctx context.Context, c string) iter.Seq2[*realtimev1.Event, error] {
	return s.Subscribe(ctx, "replay"+c)
}

func (s scripted) Subscribe(_ context.Context, c string) iter.Seq2[*realtimev1.Event, error] {
	return func(yield func(*realtimev1.Event, error) bool) {
		if yield(&realtimev1.Event{Cursor: c + "1"}, nil) && yield(&realtimev1.Event{Cursor: c + "2"}, nil) {
			yield(nil, s.err)
		}
	}
}

func TestFeedTravelsWithItsErrors(t *testing.T) {
	t.Parallel()
	for _, want := range []error{peer.ErrReset, peer.ErrSlow} {
		mux := http.NewServeMux()
		mux.Handle(peer.FeedHandler(scripted{want}))
		srv := httptest.NewServer(peer.Server(secret, mux))
		feed := peer.RemoteFeed(srv.URL, secret)
		if h, err := feed.Head(t.Context()); err != nil || h != "h" {
			t.Fatalf("head: %q %v", h, err)
		}
		var got []string
		var last error
		for ev, err := range feed.Replay(t.Context(), "c") {
			if last = err; err == nil {
				got = append(got, ev.GetCursor())
			}
		}
		if len(got) != 2 || got[1] != "replayc2" || !errors.Is(last, want) {
			t.Errorf("got %v, %v; want %v", got, last, want)
		}
		srv.Close()
	}
}
