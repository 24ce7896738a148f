package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/console"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/peer"
)

// feed is a log of events whose cursors are their numbers. It stands in for
// the conversation target, which has tests of its own.
type feed struct {
	mu      sync.Mutex
	events  []*realtimev1.Event
	changed chan struct{}
	refuse  error
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

func (f *feed) add() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, &realtimev1.Event{Cursor: fmt.Sprint(len(f.events) + 1)})
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) Head(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(len(f.events)), nil
}

func (f *feed) Subscribe(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error] {
	return func(yield func(*realtimev1.Event, error) bool) {
		var at int
		if _, err := fmt.Sscan(cursor, &at); err != nil || at > len(f.events) {
			yield(nil, peer.ErrReset)
			return
		}
		for {
			f.mu.Lock()
			rest, changed, refuse := f.events[at:], f.changed, f.refuse
			f.mu.Unlock()
			if refuse != nil {
				yield(nil, refuse)
				return
			}
			for _, e := range rest {
				if !yield(e, nil) {
					return
				}
				at++
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

type bundle struct {
	srv   *httptest.Server
	c     *console.Console
	feed  *feed
	http  *http.Client
	keys  crypt.Keyring
	audit *ledger
	mails *mails
}

func setup(t *testing.T, with ...func(*console.Deps)) *bundle {
	t.Helper()
	docs, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { docs.Close() })
	keys := crypt.NewMemory()
	blobs, err := blob.NewDir(t.TempDir(), keys)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	kinds := []inbox.Channel{{
		Name: "email",
		Settings: []inbox.Setting{
			{Key: "imap_host", Group: "In"},
			{Key: "password", Secret: true},
			{Key: "poll", Default: "60", Values: []string{"60", "90"}, Words: map[string]string{"60": "Every minute"}, Advanced: true, When: inbox.When{Key: "imap_host", Is: []string{"h"}}},
		},
		About: "Mail.", Recipient: &inbox.Recipient{Kind: "email", Label: "Address", Form: regexp.MustCompile(`@`), Such: "ada@example.org"},
		Check: func(m map[string]string) error {
			if m["imap_host"] == "" {
				return errors.New("imap_host: required")
			}
			if m["imap_host"] == "needs-a-password" && m["password"] == "" {
				return errors.New("password: is required")
			}
			return nil
		},
		Steps: func(_ context.Context, in inbox.Inbox) []inbox.Step {
			step := inbox.Step{Name: "Connect"}
			if in.Settings["password"] != "secret" {
				step.Err = errors.New("the server refused the password")
			}
			return []inbox.Step{step}
		},
	}}
	book, err := inbox.NewBook(t.Context(), docs, keys, kinds, []inbox.Inbox{{ID: "fixed", Channel: "email", Name: "Fixed", Source: inbox.SourceFile, Settings: map[string]string{"imap_host": "h"}}}, log)
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{feed: newFeed(), keys: keys, audit: &ledger{}, mails: &mails{}}
	frozen := time.Now()
	mux := http.NewServeMux()
	b.srv = httptest.NewServer(mux)
	t.Cleanup(b.srv.Close)
	deps := console.Deps{
		State: docs, Keys: keys, Blobs: blobs, Inboxes: book, Feed: b.feed, Log: log, Audit: b.audit,
		Sender: b.mails.sender, Waiting: func(context.Context, string, string) (int64, int64, error) { return 3, 1, nil },
		Now: func() time.Time { return frozen }, // buckets fill by the clock, and machines are slow at times
		Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, _ := actor.From(r.Context())
			fmt.Fprintf(w, `{"kind":%q,"name":%q}`, who.Kind, who.Name)
		}),
	}
	for _, change := range with {
		change(&deps)
	}
	b.c, err = console.New(t.Context(), console.Config{Tenant: "t", Workspace: "W", PublicURL: b.srv.URL, Listen: "hub.lan:8080", Build: "b1"}, deps)
	if err != nil {
		t.Fatal(err)
	}
	b.c.Routes(mux)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	b.http = browser()
	return b
}

// browser keeps cookies and does not follow redirects.
func browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Transport: ownTransport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (b *bundle) form(t *testing.T, c *http.Client, path string, v url.Values) *http.Response {
	t.Helper()
	res, err := c.PostForm(b.srv.URL+path, v)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func (b *bundle) owner(t *testing.T) {
	t.Helper()
	if err := b.c.EnsureOwner(t.Context(), "Olga", "olga@example.org", "correct horse"); err != nil {
		t.Fatal(err)
	}
	res := b.form(t, b.http, "/login", url.Values{"email": {"Olga@Example.org"}, "password": {"correct horse"}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" {
		t.Fatalf("login: %s → %s", res.Status, res.Header.Get("Location"))
	}
}

// call is a JSON RPC; auth "" uses the browser's cookie.
func (b *bundle) call(t *testing.T, c *http.Client, auth, method, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.srv.URL+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control %q, an authenticated answer must not be cached", method, got)
	}
	raw, _ := io.ReadAll(res.Body)
	var m map[string]any
	_ = json.Unmarshal(raw, &m)
	return res.StatusCode, m
}

// ownTransport has connections of its own: httptest.Server.Close ends idle ones of the
// default transport, also those another test is about to write to.
var ownTransport = http.DefaultTransport.(*http.Transport).Clone()

const rpcPath = "/weftline.console.v1.ConsoleService/"

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	inboxTok, err := b.c.CreateToken(t.Context(), "crm", []string{"inbox"})
	if err != nil {
		t.Fatal(err)
	}
	eventsTok, _ := b.c.CreateToken(t.Context(), "dwh", []string{"events"})
	anyone := &http.Client{Transport: ownTransport}
	const inboxRPC = "/weftline.inbox.v1.InboxService/ListConversations"
	for _, tc := range []struct {
		name, auth, path string
		client           *http.Client
		want             int
	}{
		{"anonymous", "", inboxRPC, anyone, 401},
		{"empty bearer", "Bearer ", inboxRPC, anyone, 401},
		{"forged", "Bearer wl_x_y", inboxRPC, anyone, 401},
		{"basic", "Basic " + inboxTok, inboxRPC, anyone, 401},
		{"id without secret", "Bearer " + inboxTok[:strings.LastIndex(inboxTok, "_")+1], inboxRPC, anyone, 401},
		{"token", "Bearer " + inboxTok, inboxRPC, anyone, 200},
		{"wrong scope", "Bearer " + eventsTok, inboxRPC, anyone, 403},
		{"agent", "", inboxRPC, b.http, 200},
		{"token at agents' RPC", "Bearer " + inboxTok, rpcPath + "GetSession", anyone, 403},
		{"anonymous attachment", "", "/weftline.console.v1.ConsoleService/ListInboxes", anyone, 401},
	} {
		if code, m := b.call(t, tc.client, tc.auth, tc.path, "{}"); code != tc.want {
			t.Errorf("%s: %d %v, want %d", tc.name, code, m, tc.want)
		}
	}
	if _, m := b.call(t, anyone, "Bearer "+inboxTok, inboxRPC, "{}"); m["kind"] != "integrator" || m["name"] != "crm" {
		t.Errorf("the backend sees %v", m)
	}
	code, list := b.call(t, b.http, "", rpcPath+"ListTokens", "{}")
	if code != 200 || strings.Contains(fmt.Sprint(list), "digest") {
		t.Fatalf("tokens: %d %v", code, list)
	}
	id := strings.Split(inboxTok, "_")[1]
	if code, _ := b.call(t, b.http, "", rpcPath+"RevokeToken", `{"id":"`+id+`"}`); code != 200 {
		t.Fatalf("revoke: %d", code)
	}
	if code, _ := b.call(t, anyone, "Bearer "+inboxTok, inboxRPC, "{}"); code != 401 {
		t.Fatalf("revoked token still works: %d", code)
	}
}

func TestCrossSiteRequestsAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	for _, path := range []string{"/logout", "/api/ticket", rpcPath + "GetSession"} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, b.srv.URL+path, strings.NewReader("{}"))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		req.Header.Set("Origin", "https://evil.example")
		res, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s from another site: %s", path, res.Status)
		}
	}
}

func TestAgentsAndLastOwner(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	code, m := b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"name":"Kim","email":"kim@example.org","role":"ROLE_AGENT"},"password":"kims password"}`)
	if code != 200 {
		t.Fatalf("new agent: %d %v", code, m)
	}
	kimID := m["agent"].(map[string]any)["id"].(string)
	kim := browser()
	b.form(t, kim, "/login", url.Values{"email": {"kim@example.org"}, "password": {"kims password"}})
	for method, body := range map[string]string{"SaveAgent": `{"agent":{"name":"X","email":"x@x.org","role":"ROLE_OWNER"},"password":"1234567890"}`, "CreateToken": `{"name":"t"}`, "SaveInbox": `{}`} {
		if code, _ := b.call(t, kim, "", rpcPath+method, body); code != 403 {
			t.Errorf("%s by an agent: %d", method, code)
		}
	}
	_, m = b.call(t, b.http, "", rpcPath+"GetSession", "{}")
	me := m["agent"].(map[string]any)["id"].(string)
	if code, m := b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"id":"`+me+`","name":"O","email":"olga@example.org","role":"ROLE_AGENT"}}`); code != 400 || !strings.Contains(fmt.Sprint(m), "last owner") {
		t.Errorf("demoting the last owner: %d %v", code, m)
	}
	if code, m := b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"name":"Kim2","email":"KIM@example.org","role":"ROLE_AGENT"},"password":"1234567890"}`); code != 400 || !strings.Contains(fmt.Sprint(m), "email") {
		t.Errorf("same address twice: %d %v", code, m)
	}
	if code, _ := b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"id":"`+kimID+`","name":"Kim","email":"kim@example.org","role":"ROLE_AGENT","disabled":true}}`); code != 200 {
		t.Fatalf("disable: %d", code)
	}
	if code, _ := b.call(t, kim, "", rpcPath+"GetSession", "{}"); code != 401 {
		t.Errorf("a disabled agent still works: %d", code)
	}
}

func TestDraftsOnlyMoveForward(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	save := func(text string, rev int) string {
		code, m := b.call(t, b.http, "", rpcPath+"SaveDraft", fmt.Sprintf(`{"draft":{"conversationId":"c1","kind":"reply","text":%q,"revision":"%d"}}`, text, rev))
		if code != 200 {
			t.Fatalf("save: %d %v", code, m)
		}
		s, _ := m["draft"].(map[string]any)["text"].(string)
		return s
	}
	if got := save("two", 2); got != "two" {
		t.Fatalf("got %q", got)
	}
	if got := save("one, late", 1); got != "two" {
		t.Fatalf("an older save won: %q", got)
	}
	if got := save("", 3); got != "" {
		t.Fatalf("emptied draft: %q", got)
	}
	if got := save("two again, later still", 2); got != "" {
		t.Fatalf("a late save brought back an emptied draft: %q", got)
	}
	if code, m := b.call(t, b.http, "", rpcPath+"SaveDraft", `{"draft":{"conversationId":"c1","kind":"letter","revision":"1"}}`); code != 400 || !strings.Contains(fmt.Sprint(m), "kind") {
		t.Fatalf("unknown kind: %d %v", code, m)
	}
}

func TestInboxesFromTheConsole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	save := func(body string) (int, string) {
		code, m := b.call(t, b.http, "", rpcPath+"SaveInbox", body)
		return code, fmt.Sprint(m)
	}
	if code, m := save(`{"inbox":{"id":"support","channel":"email","name":"Support","settings":{"imap_host":"imap.example.org","password":"secret"}}}`); code != 200 || strings.Contains(m, "secret") {
		t.Fatalf("save: %d %s", code, m)
	}
	for body, want := range map[string]string{
		`{"inbox":{"id":"a b","channel":"email","name":"x","settings":{"imap_host":"h"}}}`:         "id",
		`{"inbox":{"id":"x","channel":"fax","name":"x"}}`:                                          "channel",
		`{"inbox":{"id":"x","channel":"email","name":"x","settings":{"imap_hots":"h"}}}`:           "settings.imap_hots",
		`{"inbox":{"id":"x","channel":"email","name":"x"}}`:                                        "imap_host: required",
		`{"inbox":{"id":"fixed","channel":"email","name":"mine","settings":{"imap_host":"evil"}}}`: "not configured in the console",
	} {
		if code, m := save(body); code != 400 || !strings.Contains(m, want) {
			t.Errorf("%s: %d %s, want %q", body, code, m, want)
		}
	}
	// The stored password is used for a test against its own host only.
	test := func(host string) string {
		_, m := b.call(t, b.http, "", rpcPath+"TestInbox", `{"inbox":{"id":"support","channel":"email","name":"Support","settings":{"imap_host":"`+host+`"}}}`)
		return fmt.Sprint(m)
	}
	if got := test("imap.example.org"); !strings.Contains(got, "ok:true") {
		t.Errorf("test with the stored password: %s", got)
	}
	if got := test("evil.example"); strings.Contains(got, "ok:true") {
		t.Errorf("a stored password went to another host: %s", got)
	}
	if code, m := save(`{"inbox":{"id":"support"},"delete":true}`); code != 200 {
		t.Fatalf("delete: %d %s", code, m)
	}
	if _, m := b.call(t, b.http, "", rpcPath+"ListInboxes", "{}"); strings.Contains(fmt.Sprint(m), "support") {
		t.Fatalf("deleted inbox is listed: %v", m)
	}
}

const patience = time.Minute
