package demo

import (
	"bytes"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/weftline/weftline/services/internal/blocklist"
)

// TestTheDemosPeopleCanBeRecognised: the rules of identity leave out addresses that name nobody, and theirs are none of them.
func TestTheDemosPeopleCanBeRecognised(t *testing.T) {
	t.Parallel()
	for _, l := range firstMails() {
		if why := blocklist.Reason("email", l.from); why != "" {
			t.Errorf("%s is on the list of addresses that name no person: %s", l.from, why)
		}
	}
}

func TestLettersAreMailsThatParse(t *testing.T) {
	t.Parallel()
	for _, l := range append(firstMails(), thanks("x", "t", "a@b", []string{"c@d"})) {
		raw, err := l.bytes(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		r, err := mail.CreateReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", l.id, err)
		}
		if s, err := r.Header.Subject(); err != nil || s != l.subject {
			t.Errorf("%s: subject %q %v", l.id, s, err)
		}
		if ids, _ := r.Header.MsgIDList("In-Reply-To"); l.inReplyTo != "" && (len(ids) != 1 || ids[0] != l.inReplyTo) {
			t.Errorf("%s: in reply to %v", l.id, ids)
		}
	}
}
