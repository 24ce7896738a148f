package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// lee is an agent without rights, whose first password the owner gave him.
func (b *bundle) lee(t *testing.T) {
	t.Helper()
	code, m := b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"name":"Lee","email":"lee@example.org","role":"ROLE_AGENT"},"password":"given by olga"}`)
	if code != 200 {
		t.Fatalf("save: %d %v", code, m)
	}
}

// enter logs in at a new browser; nil when the password is wrong.
func (b *bundle) enter(t *testing.T, email, password string) *http.Client {
	t.Helper()
	c := browser()
	if res := b.form(t, c, "/login", url.Values{"email": {email}, "password": {password}}); res.StatusCode != http.StatusSeeOther {
		return nil
	}
	return c
}

// closed: whatever came before, the end is that of somebody who is logged out.
func closed(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, _, err := ws.ReadMessage(); websocket.IsCloseError(err, 4001) {
			return
		} else if err != nil {
			t.Fatalf("got %v, want to be closed with 4001", err)
		}
	}
}

func TestAgentChangesHisOwnPassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	b.lee(t)
	here, there := b.enter(t, "lee@example.org", "given by olga"), b.enter(t, "lee@example.org", "given by olga")
	mine, other := b.hello(t, here, ""), b.hello(t, there, "")
	next(t, mine, "welcome")
	next(t, other, "welcome")
	_ = b.audit.take()
	change := func(c *http.Client, auth, current, next string) (int, string) {
		code, m := b.call(t, c, auth, rpcPath+"ChangePassword", fmt.Sprintf(`{"current":%q,"next":%q}`, current, next))
		return code, fmt.Sprint(m)
	}
	for name, c := range map[string]struct{ current, next, want string }{
		"wrong":    {"given by lee", "a secret of lee", "current: is not your password"},
		"none":     {"", "a secret of lee", "current: is not your password"},
		"short":    {"given by olga", "secret", "next: 6 characters, allowed are 10 to 200"},
		"no other": {"given by olga", "", "next: 0 characters"},
	} {
		if code, m := change(here, "", c.current, c.next); code != 400 || !strings.Contains(m, c.want) {
			t.Errorf("%s: %d %s", name, code, m)
		}
	}
	b.recorded(t, "right.password_changed refused invalid_argument", "right.password_changed refused invalid_argument",
		"right.password_changed refused invalid_argument", "right.password_changed refused invalid_argument")
	if code, m := change(here, "", "given by olga", "a secret of lee"); code != 200 {
		t.Fatalf("%d %s", code, m)
	}
	b.recorded(t, "right.password_changed ok")
	closed(t, other)
	if code, _ := b.call(t, there, "", rpcPath+"GetSession", "{}"); code != 401 {
		t.Errorf("his other login: %d", code)
	}
	if code, _ := b.call(t, here, "", rpcPath+"GetSession", "{}"); code != 200 {
		t.Errorf("this login: %d", code)
	}
	b.feed.add()
	next(t, mine, "batch") // it is still there
	if b.enter(t, "lee@example.org", "given by olga") != nil {
		t.Error("the old password lets in")
	}
	if b.enter(t, "lee@example.org", "a secret of lee") == nil {
		t.Error("the new password does not let in")
	}
	// The owner's is his own, and a token is nobody who has one.
	if b.enter(t, "olga@example.org", "correct horse") == nil {
		t.Error("another's password changed")
	}
	_, m := b.call(t, b.http, "", rpcPath+"CreateToken", `{"name":"shop"}`)
	if code, m := change(here, "Bearer "+fmt.Sprint(m["secret"]), "a secret of lee", "another of lee's"); code != 403 {
		t.Errorf("a token: %d %s", code, m)
	}
}

// Whoever finds an open console guesses no faster than at the door.
func TestGuessesOfThePresentPasswordAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	for range 20 {
		code, m := b.call(t, b.http, "", rpcPath+"ChangePassword", `{"current":"","next":"a new password"}`)
		if code == 429 {
			if code, m := b.call(t, b.http, "", rpcPath+"ChangePassword", `{"current":"correct horse","next":"a new password"}`); code != 429 {
				t.Errorf("the right one, too: %d %v", code, m)
			}
			return
		}
		if code != 400 {
			t.Fatalf("%d %v", code, m)
		}
	}
	t.Error("guesses are not limited")
}
