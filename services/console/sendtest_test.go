package console_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/trial"
)

// mails is an adapter's sender. Whoever is called refused@ is refused, with the password in the words.
type mails struct {
	mu   sync.Mutex
	sent []channel.Outbound
}

func (m *mails) sender(_, inbox string) (channel.Sender, bool) { return m, inbox != "silent" }

func (m *mails) Send(_ context.Context, out channel.Outbound) (channel.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if strings.HasPrefix(out.To.Address, "refused@") {
		return channel.Receipt{}, errors.New("the server does not take user x with sesame street")
	}
	m.sent = append(m.sent, out)
	return channel.Receipt{State: channel.StateSent, ProviderID: "p1"}, nil
}

func TestTestMessageGoesThroughTheAdapter(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	if code, m := b.call(t, b.http, "", rpcPath+"SaveInbox", `{"inbox":{"id":"support","channel":"email","name":"Support","settings":{"imap_host":"h","password":"sesame street"}}}`); code != 200 {
		t.Fatal(m)
	}
	send := func(inbox, address string) (int, map[string]any) {
		return b.call(t, b.http, "", rpcPath+"SendTest", fmt.Sprintf(`{"inboxId":%q,"address":%q}`, inbox, address))
	}
	code, m := send("support", " ada@example.org ")
	if code != 200 || m["state"] != "sent" || m["providerId"] != "p1" || m["at"] == nil {
		t.Fatalf("%d %v", code, m)
	}
	out := b.mails.sent[0]
	if out.To != (channel.Address{Kind: "email", Address: "ada@example.org"}) || !trial.Is(out.ID) || out.Inbox != "support" || !strings.Contains(out.Content.Text, "test message of W") || out.Subject != "Test of the inbox Support" {
		t.Errorf("sent %+v", out)
	}
	if _, m := send("support", "refused@example.org"); m["state"] != "failed" || m["detail"] != "the server does not take user x with •••" {
		t.Errorf("a refusal, without the secret: %v", m)
	}
	for _, c := range []struct {
		inbox, address, want string
		code                 int
	}{
		{"support", "", "address", 400},
		{"support", "a\tb", "address", 400},
		{"support", "ada", "such as ada@example.org", 400},
		{"nobody", "a@b.org", "inbox_id", 404},
		{"fixed", "refused@example.org", "failed", 200},
	} {
		if code, m := send(c.inbox, c.address); code != c.code || !strings.Contains(fmt.Sprint(m), c.want) {
			t.Errorf("%+v: %d %v", c, code, m)
		}
	}
	for range 2 {
		if code, m := send("support", "ada@example.org"); code != 200 {
			t.Fatalf("%d %v", code, m)
		}
	}
	if code, m := send("support", "ada@example.org"); code != 429 {
		t.Errorf("the sixth in a row: %d %v", code, m)
	}
	entries, recorded := 0, ""
	for _, e := range b.audit.entries {
		if e.Action == audit.RightInboxTestSent {
			entries++
			recorded += fmt.Sprintf("%+v", e)
		}
	}
	if entries != 10 || strings.Contains(recorded, "ada@") {
		t.Errorf("%d entries in the audit log: %s", entries, recorded)
	}
}

func TestPausedInboxSendsNoTest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	pause := func(id string, on bool) (int, map[string]any) {
		return b.call(t, b.http, "", rpcPath+"SetInboxPaused", fmt.Sprintf(`{"id":%q,"paused":%v}`, id, on))
	}
	code, m := pause("fixed", true)
	in, _ := m["inbox"].(map[string]any)
	if code != 200 || in["paused"] != true || in["health"] != "paused" || in["waitingOut"] != "3" || in["setAside"] != "1" {
		t.Fatalf("%d %v", code, m)
	}
	if code, m := b.call(t, b.http, "", rpcPath+"SendTest", `{"inboxId":"fixed","address":"a@b.org"}`); code != 400 || !strings.Contains(fmt.Sprint(m), "paused") {
		t.Errorf("%d %v", code, m)
	}
	if code, _ := pause("nobody", true); code != 404 {
		t.Errorf("an inbox that is not there: %d", code)
	}
	if code, m := pause("fixed", false); code != 200 || m["inbox"].(map[string]any)["paused"] != nil {
		t.Errorf("%d %v", code, m)
	}
	var did []string
	for _, e := range b.audit.entries {
		if strings.HasPrefix(e.Action, "right.inbox_") {
			did = append(did, e.Action+" "+e.Outcome)
		}
	}
	if got := strings.Join(did, ", "); got != "right.inbox_paused ok, right.inbox_test_sent refused, right.inbox_paused refused, right.inbox_resumed ok" {
		t.Error(got)
	}
}

func TestFormDescribesTheChannel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	_, m := b.call(t, b.http, "", rpcPath+"ListChannels", `{}`)
	got := fmt.Sprint(m)
	for _, want := range []string{"about:Mail.", "testable:true", "label:Address", "words:Every minute", "words:90", "advanced:true", "group:In", "is:[h]", "secret:true"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestLiveTestTellsItsStepsWithoutSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	_, m := b.call(t, b.http, "", rpcPath+"TestInbox", `{"inbox":{"channel":"email","settings":{"imap_host":"h","password":"password"}}}`)
	if got := fmt.Sprint(m); !strings.Contains(got, "steps:[map[detail:the server refused the ••• name:Connect]]") {
		t.Error(got)
	}
	if _, m := b.call(t, b.http, "", rpcPath+"ListInboxes", `{}`); strings.Contains(fmt.Sprint(m), "map[channel:email health:connecting id: ") {
		t.Errorf("a test saved something: %v", m)
	}
	if e := b.audit.entries[len(b.audit.entries)-1]; e.Action != "right.inbox_tested" || e.Outcome != "ok" || e.IDs["channel"] != "email" || e.IDs["state"] != "failed" {
		t.Errorf("the audit log has %+v", e)
	}
	for range 19 {
		b.call(t, b.http, "", rpcPath+"TestInbox", `{"inbox":{"channel":"email","settings":{"imap_host":"h"}}}`)
	}
	if code, m := b.call(t, b.http, "", rpcPath+"TestInbox", `{"inbox":{"channel":"email","settings":{"imap_host":"h"}}}`); code != 429 {
		t.Errorf("the 21st in a row: %d %v", code, m)
	}
	if e := b.audit.entries[len(b.audit.entries)-1]; e.Action != "right.inbox_tested" || e.Outcome != "refused" {
		t.Errorf("the audit log has %+v", e)
	}
}

// TestSecretsAreAskedForWhereTheHostChanges, with the field that wants it, and are not tried there.
func TestSecretsAreAskedForWhereTheHostChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	save := func(settings string) (int, map[string]any) {
		return b.call(t, b.http, "", rpcPath+"SaveInbox", `{"inbox":{"id":"mine","channel":"email","name":"Mine","settings":{`+settings+`}}}`)
	}
	if code, m := save(`"imap_host":"h","password":"secret"`); code != 200 {
		t.Fatalf("%d %v", code, m)
	}
	if code, m := save(`"imap_host":"evil.test"`); code != 400 || !strings.HasPrefix(fmt.Sprint(m["message"]), "password: enter it again") {
		t.Errorf("%d %v", code, m)
	}
	if code, m := save(`"imap_host":"h","poll":"90"`); code != 200 {
		t.Errorf("%d %v", code, m)
	}
	if code, m := save(`"imap_host":"other.test","password":"another"`); code != 200 {
		t.Errorf("%d %v", code, m)
	}
}
