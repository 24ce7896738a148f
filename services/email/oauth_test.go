package email_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/inbox"
)

// oauthWorld is an inbox that reads and sends with access tokens.
type oauthWorld struct {
	*world
	endpoint *endpoint
	office   *postOffice
	sink     *sink
}

func newOAuthWorld(t testing.TB, mechs ...string) *oauthWorld {
	t.Helper()
	if mechs == nil {
		mechs = []string{"XOAUTH2"}
	}
	e := newEndpoint(t)
	rule := &bearerRule{endpoint: e, mechs: mechs}
	o := &oauthWorld{endpoint: e, office: newPostOffice(t, officeOptions{idle: true, bearer: rule, saslIR: len(mechs) == 1}), sink: newSink(t, "none", nil)}
	o.sink.bearer = rule
	o.world = newWorld(t, o.inbox(nil))
	o.timing.TokenYoung = time.Nanosecond
	o.svc = o.service(t)
	return o
}

func (o *oauthWorld) inbox(more map[string]string) inbox.Inbox {
	set := o.endpoint.settings()
	_, p, _ := strings.Cut(o.sink.l.Addr().String(), ":")
	maps.Copy(set, map[string]string{"smtp_host": "127.0.0.1", "smtp_port": p, "smtp_tls": "none"})
	maps.Copy(set, more)
	_, p, _ = strings.Cut(o.office.l.Addr().String(), ":")
	return mailboxOf("support", p, set)
}

// grantID is where the tokens are kept that came of a refresh token in the settings.
func (o *oauthWorld) grantID(refresh string) string {
	return "support." + o.keys.Hash("email.grant", o.endpoint.srv.URL+"/token", "hub", refresh)
}

// putGrant stores tokens as an earlier hub left them.
func (o *oauthWorld) putGrant(t testing.TB, access, refresh string, got, expiry, lease time.Time) {
	t.Helper()
	if err := o.state.Declare(t.Context(), docstore.Collection{Name: "email_grants"}); err != nil {
		t.Fatal(err)
	}
	id := o.grantID("refresh-0")
	sealed, err := o.keys.Seal(t.Context(), "inbox/support", fmt.Appendf(nil, `{"access":%q,"refresh":%q}`, access, refresh), []byte("email_grants/"+id))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"inbox": "support", "sealed": sealed, "got": got, "expiry": expiry, "lease": lease})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.state.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{{Collection: "email_grants", Doc: docstore.Doc{ID: id, Seq: 1, JSON: b}}}}); err != nil {
		t.Fatal(err)
	}
}

func TestOAuthLogsInByWhatTheServerOffers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		offers []string
		uses   string
	}{
		{[]string{"XOAUTH2"}, "XOAUTH2"},
		{[]string{"OAUTHBEARER"}, "OAUTHBEARER"},
		{[]string{"PLAIN", "XOAUTH2", "OAUTHBEARER"}, "OAUTHBEARER"},
	} {
		t.Run(strings.Join(c.offers, " "), func(t *testing.T) {
			t.Parallel()
			w := newOAuthWorld(t, c.offers...)
			w.office.deliver("INBOX", mailNo(1))
			w.run(t, w.svc)
			eventually(t, "the mail", func() bool { return len(w.hub.all()) == 1 })
			r, err := w.sender(t).Send(t.Context(), outbound())
			if err != nil || r.State != channel.StateSent {
				t.Fatalf("state %q (%v)", r.State, err)
			}
			w.office.mu.Lock()
			in := w.office.mechs[0]
			w.office.mu.Unlock()
			if in != c.uses || w.sink.mechs[0] != c.uses {
				t.Errorf("logged in by %s and %s, want %s", in, w.sink.mechs[0], c.uses)
			}
			if n := w.endpoint.asked(); n != 1 {
				t.Errorf("asked for %d tokens, want one for both", n)
			}
			if w.endpoint.scopes[0] != "mail offline" || w.endpoint.basic {
				t.Errorf("asked with scope %q, secret in header %v", w.endpoint.scopes[0], w.endpoint.basic)
			}
		})
	}
}

func TestOAuthServerWithoutItNeedsAttention(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t, "PLAIN")
	w.run(t, w.svc)
	eventually(t, "attention", func() bool {
		h := w.book.Health("support")
		return h.State == "needs_attention" && strings.Contains(h.Detail, "takes no access tokens")
	})
	if _, err := w.sender(t).Send(t.Context(), outbound()); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Errorf("sending: %v", err)
	}
}

// The refresh token changes at every use; a restart goes on with the newest,
// and none is in the store in the clear.
func TestOAuthRotatedRefreshTokenSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	for n := 1; n <= 3; n++ {
		w.endpoint.set(func() { w.endpoint.valid = map[string]bool{} }) // servers forget what was given
		w.svc = w.service(t)
		if r, err := w.sender(t).Send(t.Context(), outbound()); err != nil || r.State != channel.StateSent {
			t.Fatalf("start %d: state %q (%v)", n, r.State, err)
		}
		if got := w.endpoint.asked(); got != n {
			t.Errorf("start %d: asked %d times", n, got)
		}
	}
	d, err := w.state.Get(t.Context(), "email_grants", w.grantID("refresh-0"))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(d.JSON); strings.Contains(s, "access-") || strings.Contains(s, "refresh-") || strings.Contains(s, clientSecret) {
		t.Errorf("stored in the clear: %s", s)
	}
}

// watched is a store that counts and can fail.
type watched struct {
	docstore.Store
	mu   sync.Mutex
	gets int
	fail func(docstore.Batch) error
}

func (s *watched) Get(ctx context.Context, collection, id string) (docstore.Doc, error) {
	if collection == "email_grants" {
		s.mu.Lock()
		s.gets++
		s.mu.Unlock()
	}
	return s.Store.Get(ctx, collection, id)
}

func (s *watched) Apply(ctx context.Context, b docstore.Batch) error {
	s.mu.Lock()
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		if err := fail(b); err != nil {
			return err
		}
	}
	return s.Store.Apply(ctx, b)
}

func (s *watched) read() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gets
}

// Two processes on one store need a token at the same time: one asks, the
// other waits for what it got.
func TestOAuthTwoProcessesRefreshOnce(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	store := &watched{Store: w.state}
	w.state = store
	first, second := w.service(t), w.service(t)
	asked, release := make(chan struct{}), make(chan struct{})
	w.endpoint.hold = func(int, *http.Request) { asked <- struct{}{}; <-release }
	results := make(chan error, 8)
	send := func(svc *email.Service, n int) {
		s, _ := svc.Sender("support")
		for i := range n {
			go func() {
				out := outbound()
				out.ID = fmt.Sprint("R", i, "-", n)
				_, err := s.Send(context.WithoutCancel(t.Context()), out)
				results <- err
			}()
		}
	}
	send(first, 4)
	<-asked
	before := store.read()
	send(second, 4)
	eventually(t, "the second waits for the lease", func() bool { return store.read() > before+2 })
	close(release)
	for range 8 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := w.endpoint.asked(); n != 1 || len(w.sink.all()) != 8 {
		t.Errorf("asked %d times for %d mails, want once for 8", n, len(w.sink.all()))
	}
}

// A process that died while it asked holds its lease only for a while.
func TestOAuthLeaseOfADeadProcessEnds(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	past := time.Now().Add(-time.Hour)
	w.putGrant(t, "", "refresh-0", past, past, time.Now().Add(150*time.Millisecond))
	if r, err := w.sender(t).Send(t.Context(), outbound()); err != nil || r.State != channel.StateSent {
		t.Errorf("state %q (%v)", r.State, err)
	}
}

// What came in place of the old refresh token is stored before anything is
// done with it, also when the store fails for a moment and the caller has gone.
func TestOAuthNewRefreshTokenIsNeverLost(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	store := &watched{Store: w.state}
	w.state = store
	w.svc = w.service(t)
	ctx, cancel := context.WithCancel(t.Context())
	failures := 0
	w.endpoint.hold = func(int, *http.Request) {
		cancel() // the hub stops while the provider thinks
		store.mu.Lock()
		defer store.mu.Unlock()
		store.fail = func(docstore.Batch) error {
			if failures++; failures <= 2 {
				return errors.New("disk is full")
			}
			return nil
		}
	}
	if _, err := w.sender(t).Send(ctx, outbound()); err == nil {
		t.Error("a cancelled send went out")
	}
	if failures < 3 || len(w.sink.all()) != 0 {
		t.Errorf("stored at attempt %d, %d mails sent", failures, len(w.sink.all()))
	}
	w.endpoint.set(func() { w.endpoint.hold, w.endpoint.valid = nil, map[string]bool{} })
	w.svc = w.service(t)
	if r, err := w.sender(t).Send(t.Context(), outbound()); err != nil || r.State != channel.StateSent {
		t.Errorf("with the newest refresh token: state %q (%v)", r.State, err)
	}
}

// A revoked refresh token: both sides say so in clear words, mail waits, the
// provider is not asked again and again, and a new token in the settings heals it.
func TestOAuthInvalidGrantNeedsAttention(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	w.endpoint.refresh = "refresh-new"
	w.office.deliver("INBOX", mailNo(1))
	w.run(t, w.svc)
	eventually(t, "attention", func() bool { return w.book.Health("support").State == "needs_attention" })
	detail := w.book.Health("support").Detail
	for _, want := range []string{"invalid_grant", "sign in again"} {
		if !strings.Contains(detail, want) {
			t.Errorf("detail %q lacks %q", detail, want)
		}
	}
	for _, never := range []string{"refresh-0", "ada@example.org", clientSecret} {
		if strings.Contains(detail, never) {
			t.Errorf("detail %q has %q", detail, never)
		}
	}
	for range 3 {
		if r, err := w.sender(t).Send(t.Context(), outbound()); !errors.Is(err, channel.ErrNeedsAttention) || r.State != "" {
			t.Errorf("sending: state %q (%v)", r.State, err)
		}
	}
	if n := w.endpoint.asked(); n != 1 {
		t.Errorf("asked %d times, want once for a while", n)
	}
	in := w.inbox(map[string]string{"oauth_refresh_token": "refresh-new"})
	in.Rev = 2
	w.book.set(in)
	eventually(t, "the mail", func() bool { return len(w.hub.all()) == 1 })
	if r, err := w.sender(t).Send(t.Context(), outbound()); err != nil || r.State != channel.StateSent {
		t.Errorf("afterwards: state %q (%v)", r.State, err)
	}
}

// Trouble of the token endpoint is nobody's fault: it is asked again.
func TestOAuthEndpointTroubleIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(e *endpoint){
		"500":          func(e *endpoint) { e.fault = answers(http.StatusInternalServerError, "oops") },
		"503, no JSON": func(e *endpoint) { e.fault = answers(http.StatusServiceUnavailable, "<html>") },
		"temporarily":  func(e *endpoint) { e.fault = answers(http.StatusBadRequest, `{"error":"temporarily_unavailable"}`) },
		"no token":     func(e *endpoint) { e.fault = answers(http.StatusOK, `{}`) },
		"slow": func(e *endpoint) {
			e.hold = func(call int, r *http.Request) {
				if call < 3 {
					<-r.Context().Done()
				}
			}
			e.fault = answers(http.StatusBadGateway, "") // nobody hears it
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newOAuthWorld(t)
			fault(w.endpoint)
			w.timing.TokenCall = time.Second
			w.svc = w.service(t)
			w.office.deliver("INBOX", mailNo(1))
			r, err := w.sender(t).Send(t.Context(), outbound())
			if err == nil || r.State != "" || errors.Is(err, channel.ErrNeedsAttention) {
				t.Errorf("state %q (%v), want to try again", r.State, err)
			}
			w.run(t, w.svc)
			eventually(t, "the mail", func() bool { return len(w.hub.all()) == 1 })
			if s := w.book.Health("support").State; s == "needs_attention" {
				t.Errorf("health is %s", s)
			}
		})
	}
}

func answers(status int, body string) func(int, http.ResponseWriter) bool {
	return func(call int, w http.ResponseWriter) bool {
		if call >= 3 {
			return false
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body) //nolint:errcheck // to a test
		return true
	}
}

func TestOAuthWaitsAsLongAsTheEndpointSays(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	w.endpoint.fault = func(_ int, rw http.ResponseWriter) bool {
		rw.Header().Set("Retry-After", "120")
		rw.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	_, err := w.sender(t).Send(t.Context(), outbound())
	if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After != 2*time.Minute {
		t.Errorf("error %v", err)
	}
}

// Shortly before its end a token is replaced; when that fails, the old one holds to the end.
func TestOAuthRenewsBeforeTheEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		left  time.Duration
		down  bool
		asked int
		works bool
	}{
		{"far from the end", time.Hour, false, 0, true},
		{"near the end", time.Minute, false, 1, true},
		{"near the end, endpoint down", time.Minute, true, 1, true},
		{"ended, endpoint down", -time.Minute, true, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newOAuthWorld(t)
			w.endpoint.valid["kept"] = true
			now := time.Now()
			w.putGrant(t, "kept", "refresh-0", now.Add(-time.Hour), now.Add(c.left), time.Time{})
			if c.down {
				w.endpoint.fault = func(_ int, rw http.ResponseWriter) bool { rw.WriteHeader(500); return true }
			}
			_, err := w.sender(t).Send(t.Context(), outbound())
			if (err == nil) != c.works || w.endpoint.asked() != c.asked {
				t.Errorf("works %v (%v), asked %d times; want %v, %d", err == nil, err, w.endpoint.asked(), c.works, c.asked)
			}
		})
	}
}

// A server that takes no token at all: a person must look, in the server's own words.
func TestOAuthTokenRefusedForGood(t *testing.T) {
	t.Parallel()
	for _, mech := range []string{"XOAUTH2", "OAUTHBEARER"} {
		w := newOAuthWorld(t, mech)
		w.endpoint.extra = func(call int, _ map[string]any) { w.endpoint.valid = map[string]bool{} }
		w.run(t, w.svc)
		eventually(t, "attention", func() bool {
			h := w.book.Health("support")
			return h.State == "needs_attention" && strings.Contains(h.Detail, "access token refused")
		})
		if d := w.book.Health("support").Detail; mech == "XOAUTH2" && !strings.Contains(d, "status 400, wants scope https://mail.google.com/") || mech != "XOAUTH2" && !strings.Contains(d, "status invalid_token") {
			t.Errorf("%s: detail %q", mech, d)
		}
		if _, err := w.sender(t).Send(t.Context(), outbound()); !errors.Is(err, channel.ErrNeedsAttention) {
			t.Errorf("%s: sending: %v", mech, err)
		}
	}
}

func TestOAuthAsAnApplication(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	w.book.inboxes["support"] = w.inbox(map[string]string{"oauth_refresh_token": "", "oauth_secret_in": "header"})
	if r, err := w.sender(t).Send(t.Context(), outbound()); err != nil || r.State != channel.StateSent {
		t.Fatalf("state %q (%v)", r.State, err)
	}
	if w.endpoint.grants[0] != "client_credentials" || !w.endpoint.basic {
		t.Errorf("asked by %s, secret in header %v", w.endpoint.grants[0], w.endpoint.basic)
	}
}

// The live test of settings may use up the refresh token: what it was given is kept for the inbox.
func TestOAuthLiveTestKeepsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	in, _ := w.book.Get("support")
	if err := email.Channel(email.ChannelDeps{}).Test(t.Context(), in); err == nil {
		t.Error("tested without a place for tokens")
	}
	if err := email.Channel(email.ChannelDeps{State: w.state, Keys: w.keys}).Test(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if r, err := w.sender(t).Send(t.Context(), outbound()); err != nil || r.State != channel.StateSent || w.endpoint.asked() != 1 {
		t.Errorf("state %q (%v), asked %d times", r.State, err, w.endpoint.asked())
	}
}

func TestOAuthSettings(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"address": ownAddress, "imap_host": "imap.example.org", "auth": "oauth2", "oauth_client_id": "id", "oauth_client_secret": "s", "oauth_refresh_token": "r",
	}
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{nil, ""},
		{map[string]string{"oauth_provider": "microsoft", "oauth_tenant": "example.onmicrosoft.com"}, ""},
		{map[string]string{"oauth_provider": "own", "oauth_token_url": "https://login.example.org/token"}, ""},
		{map[string]string{"oauth_provider": "microsoft", "oauth_refresh_token": ""}, ""},
		{map[string]string{"oauth_refresh_token": ""}, "oauth_refresh_token"},
		{map[string]string{"oauth_client_id": ""}, "oauth_client_id"},
		{map[string]string{"oauth_provider": "own"}, "oauth_token_url"},
		{map[string]string{"oauth_provider": "own", "oauth_token_url": "http://login.example.org/"}, "oauth_token_url"},
		{map[string]string{"oauth_provider": "own", "oauth_token_url": "https://a:b@login.example.org/"}, "oauth_token_url"},
		{map[string]string{"oauth_provider": "microsoft", "oauth_tenant": "../evil"}, "oauth_tenant"},
		{map[string]string{"oauth_provider": "yahoo"}, "oauth_provider"},
		{map[string]string{"auth": "magic"}, "auth"},
		{map[string]string{"smtp_host": "smtp.example.org", "smtp_tls": "none", "smtp_plaintext": "yes"}, "smtp_tls"},
	} {
		set := maps.Clone(base)
		maps.Copy(set, c.set)
		err := email.Check(set)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v, want %q", c.set, err, c.want)
		}
	}
}
