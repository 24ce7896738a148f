package console_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A page that has its own name lead to this machine cannot make itself the owner.
func TestSetupIsRefusedAtStrangeHosts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ask := func(method, host string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/setup", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Host = host
		rec := httptest.NewRecorder()
		b.srv.Config.Handler.ServeHTTP(rec, r)
		return rec
	}
	for _, host := range []string{"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", ""} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			rec := ask(method, host, url.Values{"name": {"E"}, "email": {"e@x.org"}, "password": {"long enough"}})
			if rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), "public_url") {
				t.Errorf("%s at %q: %d %s", method, host, rec.Code, rec.Body)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]", "hub.lan:8080", strings.TrimPrefix(b.srv.URL, "http://")} {
		if rec := ask(http.MethodGet, host, nil); rec.Code != http.StatusOK {
			t.Errorf("at %q: %d", host, rec.Code)
		}
	}
	if rec := ask(http.MethodPost, "localhost", url.Values{"name": {"a\xff\xfeb"}, "email": {"e@x.org"}, "password": {"long enough"}}); rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), "UTF-8") {
		t.Errorf("a name that is no text: %d", rec.Code)
	}
}

// timed is a connection that knows deadlines.
type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (c *timed) SetReadDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

// A form of a stranger that says no length is not waited for either.
func TestStrangersFormsMustComeSoon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/setup", "/login", "/prove/x"} {
		r := httptest.NewRequest(http.MethodPost, path, io.MultiReader(strings.NewReader("a=b")))
		r.Host = "localhost"
		c := &timed{ResponseRecorder: httptest.NewRecorder()}
		b.srv.Config.Handler.ServeHTTP(c, r)
		if left := time.Until(c.deadline); left <= 0 || left > 15*time.Second {
			t.Errorf("%s: deadline in %s", path, left)
		}
	}
}
