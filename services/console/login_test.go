package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestFirstRunMakesTheOwnerOnceAndOnlyOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	res, err := b.http.Get(b.srv.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Header.Get("Location") != "/setup" {
		t.Fatalf("before the owner exists / leads to %q", res.Header.Get("Location"))
	}
	if res := b.form(t, b.http, "/setup", url.Values{"name": {"O"}, "email": {"o@x.org"}, "password": {"short"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("short password: %s", res.Status)
	}
	if res := b.form(t, b.http, "/setup", url.Values{"name": {"O"}, "email": {"o@x.org"}, "password": {"long enough"}}); res.Header.Get("Location") != "/" {
		t.Fatalf("setup: %s", res.Status)
	}
	if code, m := b.call(t, b.http, "", rpcPath+"GetSession", "{}"); code != 200 || m["agent"].(map[string]any)["role"] != "ROLE_OWNER" {
		t.Fatalf("session after setup: %d %v", code, m)
	}
	second := browser()
	if res := b.form(t, second, "/setup", url.Values{"name": {"M"}, "email": {"m@x.org"}, "password": {"long enough"}}); res.Header.Get("Location") != "/login" {
		t.Fatalf("a second owner by the first-run page: %s", res.Status)
	}
}

func TestLoginTellsNothingAndIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	stranger := browser()
	for i := range 9 { // one of ten was the owner's own
		wrong := "" // costs no time, which would fill the bucket again
		if i == 0 {
			wrong = "wrong password"
		}
		if res := b.form(t, stranger, "/login", url.Values{"email": {"olga@example.org"}, "password": {wrong}}); res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("wrong password: %s", res.Status)
		}
	}
	res := b.form(t, stranger, "/login", url.Values{"email": {"olga@example.org"}, "password": {"correct horse"}})
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Fatalf("tenth attempt: %s", res.Status)
	}
	if res := b.form(t, stranger, "/login", url.Values{"email": {"nobody@example.org"}, "password": {""}}); res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("unknown: %s", res.Status)
	}
}

func TestLoginLeadsOnlyToPagesOfThisSite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	for next, want := range map[string]string{"//evil.example": "/", "https://evil.example/": "/", "/\\evil": "/", "/c/1?x=2": "/c/1?x=2"} {
		res := b.form(t, browser(), "/login", url.Values{"email": {"olga@example.org"}, "password": {"correct horse"}, "next": {next}})
		if got := res.Header.Get("Location"); got != want {
			t.Errorf("next=%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestNoStrangerLocksAnAccountNorTakesAllMemory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	from := func(ip, email, password string) int {
		form := url.Values{"email": {email}, "password": {password}}.Encode()
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = ip + ":1234"
		w := httptest.NewRecorder()
		b.srv.Config.Handler.ServeHTTP(w, r)
		return w.Code
	}
	for range 320 {
		from("192.0.2.7", "olga@example.org", "")
	}
	if got := from("192.0.2.8", "olga@example.org", "correct horse"); got != http.StatusSeeOther {
		t.Errorf("a guesser at another address keeps the owner out: %d", got)
	}
	if got := from("192.0.2.7", strings.Repeat("x", 15_000), "password"); got != http.StatusTooManyRequests {
		t.Errorf("three hundred tries from one address, then another account: %d", got)
	}
	b.c.CrowdTheGate()
	if got := from("192.0.2.9", "olga@example.org", "correct horse"); got != http.StatusServiceUnavailable {
		t.Errorf("while too many passwords are being checked: %d", got)
	}
}
