package console_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestStoredSecretsAreNamedAndCanGo: an owner sees which are there, not what they are, and takes one out.
func TestStoredSecretsAreNamedAndCanGo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	call := func(method, inbox, more string) string {
		code, m := b.call(t, b.http, "", rpcPath+method, `{"inbox":{"id":"mine","channel":"email","name":"Mine","settings":{"imap_host":"h"`+inbox+`}}`+more+`}`)
		if code != 200 {
			t.Fatalf("%s: %d %v", method, code, m)
		}
		return fmt.Sprint(m)
	}
	if got := call("SaveInbox", `,"password":"secret"`, ""); !strings.Contains(got, "storedSecrets:[password]") || strings.Contains(got, "password:secret") {
		t.Error(got)
	}
	if got := call("TestInbox", "", ""); !strings.Contains(got, "ok:true") {
		t.Errorf("the stored one is tried: %s", got)
	}
	if got := call("TestInbox", "", `,"forget":["password"]`); strings.Contains(got, "ok:true") {
		t.Errorf("what is to be forgotten is not: %s", got)
	}
	if got := call("SaveInbox", "", ""); !strings.Contains(got, "storedSecrets:[password]") {
		t.Errorf("left empty it stays: %s", got)
	}
	if got := call("SaveInbox", "", `,"forget":["password"]`); strings.Contains(got, "storedSecrets") {
		t.Errorf("it went: %s", got)
	}
}

// TestLiveTestSaysWhyASecretIsNotTaken: it is there, but not for the host that was just typed in.
func TestLiveTestSaysWhyASecretIsNotTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	call := func(method, settings string) string {
		_, m := b.call(t, b.http, "", rpcPath+method, `{"inbox":{"id":"mine","channel":"email","name":"Mine","settings":{`+settings+`}}}`)
		return fmt.Sprint(m)
	}
	call("SaveInbox", `"imap_host":"h","password":"secret"`)
	if got := call("TestInbox", `"imap_host":"needs-a-password"`); !strings.Contains(got, "password: enter it again, since imap_host was changed") {
		t.Error(got)
	}
}
