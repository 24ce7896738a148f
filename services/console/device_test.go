package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// Somebody who guesses behind the same proxy locks out neither the others there, nor
// on his own device him whose password he guesses.
func TestGuessesLockOutNobodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	ada := url.Values{"email": {"ada@example.org"}, "password": {"long enough"}}
	if code, m := b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"name":"Ada","email":"ada@example.org","role":"ROLE_AGENT"},"password":"long enough"}`); code != http.StatusOK {
		t.Fatalf("%d %v", code, m)
	}
	home, stranger := browser(), browser()
	if res := b.form(t, home, "/login", ada); res.StatusCode != http.StatusSeeOther {
		t.Fatal(res.Status)
	}
	// An empty password costs no time.
	for i := range 60 {
		b.form(t, stranger, "/login", url.Values{"email": {fmt.Sprintf("guess%d@example.org", i)}, "password": {""}})
	}
	if res := b.form(t, browser(), "/login", url.Values{"email": {"olga@example.org"}, "password": {"correct horse"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("another agent of the address: %s", res.Status)
	}
	for range 12 {
		b.form(t, stranger, "/login", url.Values{"email": {"ada@example.org"}, "password": {""}})
	}
	if res := b.form(t, browser(), "/login", ada); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a device that is not known: %s", res.Status)
	}
	if res := b.form(t, home, "/login", ada); res.StatusCode != http.StatusSeeOther {
		t.Errorf("her own device: %s", res.Status)
	}
	// Her device is known for her alone, and is bounded itself.
	for range 12 {
		b.form(t, stranger, "/login", url.Values{"email": {"olga@example.org"}, "password": {""}})
	}
	if res := b.form(t, home, "/login", url.Values{"email": {"olga@example.org"}, "password": {"correct horse"}}); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("as somebody else from her device: %s", res.Status)
	}
	last := ""
	for range 12 {
		last = b.form(t, home, "/login", url.Values{"email": {"ada@example.org"}, "password": {""}}).Status
	}
	if last[:3] != "429" {
		t.Errorf("guesses from her device: %s", last)
	}
}
