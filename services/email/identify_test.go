package email_test

import (
	"bytes"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
)

// A mail that cannot be read has no id of the parser's. It comes again under
// another UID when UIDVALIDITY changes.
func TestIdentifyOutlivesTheUID(t *testing.T) {
	t.Parallel()
	p := testParser()
	mail := []byte("From: ada@example.org\r\nMessage-ID: <1@example.org>\r\n\r\nOne\r\n")
	at := func(id string, body []byte) string {
		return p.Identify(channel.Raw{Inbox: "support", ProviderID: id, ContentType: "message/rfc822", Body: body})
	}
	id := at("INBOX/1/7", mail)
	if again := at("INBOX/2/1", mail); again != id {
		t.Errorf("a new UID makes %q of %q", again, id)
	}
	if other := at("INBOX/1/7", bytes.Replace(mail, []byte("One"), []byte("Two"), 1)); other == id {
		t.Error("another mail of the same Message-ID has the same identity")
	}
	items, err := p.Parse(testRaw(mail))
	if err != nil {
		t.Fatal(err)
	}
	if items[0].Message.ID == id {
		t.Error("a placeholder would take the place of the message")
	}
	if long := append(bytes.Repeat([]byte("X: y\r\n"), email.MaxHeader/6+1), mail...); at("1", long) != at("2", long) {
		t.Error("behind a header too long to read, the identity depends on the UID")
	}
	if at("1", nil) == "" {
		t.Error("no bytes have no identity")
	}
}
