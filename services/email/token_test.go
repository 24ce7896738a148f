package email_test

import (
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/crypt"
	"pgregory.net/rapid"
)

// Only the exact token joins, for its tenant and id; only its recipient is the same.
func TestReplyTokenHoldsAgainstChange(t *testing.T) {
	t.Parallel()
	keys := crypt.NewDeterministic("tokens")
	p := email.NewParser(keys, nil)
	parse := func(t rapid.TB, tenant, from, token string) *channel.Message {
		raw := testRaw([]byte("From: " + from + "\r\nIn-Reply-To: <" + token + ">\r\n\r\nx"))
		raw.Tenant = tenant
		items, err := p.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return items[0].Message
	}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "id")
		tenant := rapid.SampledFrom([]string{"", "t1", "t2"}).Draw(t, "tenant")
		token := email.ReplyToken(keys, tenant, id, channel.Address{Kind: "email", Address: "Ada@Example.org"}, "shop.test")
		if m := parse(t, tenant, "ada@example.ORG", token); m.Answers != id || !m.AnswersFromSame || m.Assurance != 1 {
			t.Fatalf("good token: answers %q same %v", m.Answers, m.AnswersFromSame)
		}
		if m := parse(t, tenant, "eve@evil.test", token); m.Answers != id || m.AnswersFromSame || m.Assurance > 1 {
			t.Fatalf("other sender: answers %q same %v assurance %d", m.Answers, m.AnswersFromSame, m.Assurance)
		}
		if m := parse(t, "t3", "ada@example.org", token); m.Answers != "" {
			t.Fatal("joined in another tenant")
		}
		local, domain, _ := strings.Cut(token, "@")
		i := rapid.IntRange(0, len(local)-1).Draw(t, "at")
		c := rapid.SampledFrom([]byte("abcdefABCDEF0123456789._-")).Draw(t, "byte")
		var changed string
		switch rapid.IntRange(0, 3).Draw(t, "change") {
		case 0:
			changed = local[:i] + string(c) + local[i+1:]
		case 1:
			changed = local[:i] + local[i+1:]
		case 2:
			changed = local[:i] + string(c) + local[i:]
		case 3:
			changed = local[:i]
		}
		m := parse(t, tenant, "ada@example.org", changed+"@"+domain)
		if changed == local {
			return
		}
		// The recipient's part may be spoiled alone: then it joins, but not as the same.
		if m.AnswersFromSame || m.Answers != "" && (m.Answers != id || !strings.HasPrefix(changed, local[:len(local)-33])) {
			t.Fatalf("changed token %q for %q: answers %q same %v", changed, local, m.Answers, m.AnswersFromSame)
		}
	})
}
