package email_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
)

// linkIn is the inbox and the token of a mail's List-Unsubscribe.
func linkIn(mail string) (inbox, token string) {
	v := strings.Trim(headerOf(mail, "List-Unsubscribe"), "<>")
	_, path, _ := strings.Cut(v, email.UnsubscribePath)
	inbox, token, _ = strings.Cut(path, "/")
	return inbox, token
}

func (w *world) with(t *testing.T, publicURL string) channel.Sender {
	t.Helper()
	svc, err := email.New(email.Deps{
		Intake: w.hub, Inboxes: w.book, State: w.state, Keys: w.keys, Blobs: w.blobs, Log: slog.New(slog.DiscardHandler), Roots: w.roots, Timing: w.timing, PublicURL: publicURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := svc.Sender("support")
	if !ok {
		t.Fatal("no sender")
	}
	return s
}

func TestOnlyMailNobodyAskedForOffersToUnsubscribe(t *testing.T) {
	t.Parallel()
	answer, automatic := outbound(), outbound()
	answer.InReplyTo, automatic.Automatic = "m1@example.org", true
	for name, c := range map[string]struct {
		url    string
		out    channel.Outbound
		set    map[string]string
		offers bool
	}{
		"a first mail":     {"https://hub.shop.test", outbound(), nil, true},
		"on this machine":  {"http://127.0.0.1:8080", outbound(), nil, true},
		"without https":    {"http://hub.shop.test", outbound(), nil, false},
		"without a URL":    {"", outbound(), nil, false},
		"an answer":        {"https://hub.shop.test", answer, nil, false},
		"an automatic one": {"https://hub.shop.test", automatic, nil, false},
		"switched off":     {"https://hub.shop.test", outbound(), map[string]string{"unsubscribe": "no"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, "none", nil)
			w := newWorld(t, outbox(port(t, s.l), c.set))
			if r, err := w.with(t, c.url).Send(t.Context(), c.out); err != nil || r.State != channel.StateSent {
				t.Fatalf("%+v (%v)", r, err)
			}
			mail := s.all()[0].data
			_, token := linkIn(mail)
			if (token != "") != c.offers || (headerOf(mail, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click") != c.offers {
				t.Errorf("in\n%s", mail)
			}
		})
	}
}

// The link becomes a message that says so: nothing but the link does.
func TestUnsubscribeLinkIsAConsent(t *testing.T) {
	t.Parallel()
	s := newSink(t, "none", nil)
	w := newWorld(t, outbox(port(t, s.l), nil))
	if r, err := w.with(t, "https://hub.shop.test").Send(t.Context(), outbound()); err != nil || r.State != channel.StateSent {
		t.Fatalf("%+v (%v)", r, err)
	}
	inbox, token := linkIn(s.all()[0].data)
	raw, ok := email.Unsubscription(w.keys, "t1", inbox, token)
	if !ok || inbox != "support" {
		t.Fatalf("the link of %s does not open", inbox)
	}
	reader := w.svc.Parser()
	items, err := reader.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	m := reader.Verify(t.Context(), raw, items)[0].Message
	if m.Consent != channel.OptOutUnasked || m.From.Address != "ada@example.org" || m.From.Scope != "" || m.Answers != "01JREPLY" || m.Assurance != 1 {
		t.Errorf("message %+v", m)
	}
	id, rest, _ := strings.Cut(token, ".")
	address, mac, _ := strings.Cut(rest, ".")
	for name, forged := range map[string][3]string{
		"another inbox": {"t1", "sales", token}, "another tenant": {"t2", "support", token}, "another mail": {"t1", "support", "X" + id + "." + rest},
		"another address": {"t1", "support", id + ".Ym9iQGV4YW1wbGUub3Jn." + mac}, "upper case": {"t1", "support", id + "." + address + "." + strings.ToUpper(mac)},
		"cut": {"t1", "support", token[:len(token)-1]}, "empty": {"t1", "support", ""}, "padded": {"t1", "support", id + "." + address + "=." + mac},
	} {
		if _, ok := email.Unsubscription(w.keys, forged[0], forged[1], forged[2]); ok {
			t.Errorf("%s opens", name)
		}
		raw := raw
		raw.Tenant, raw.Inbox, raw.Body = forged[0], forged[1], []byte(forged[2])
		if _, err := reader.Parse(raw); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
