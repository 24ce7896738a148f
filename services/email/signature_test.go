package email_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
)

func TestAnswersAreSigned(t *testing.T) {
	t.Parallel()
	const inbox = `{agent}\n{inbox}, {address}`
	for _, c := range []struct {
		name       string
		set        map[string]string
		own        string
		change     func(*channel.Outbound)
		text, html string // as the customer's mail program reads it; html "": none
	}{
		{"none", nil, "", nil, "Hello.", ""},
		{"the inbox's", map[string]string{"signature": inbox}, "", nil, "Hello.\n\n-- \nGrace\nAcme Support, support@shop.test", ""},
		{"the agent's", nil, "Grace Hopper\nRear admiral", nil, "Hello.\n\n-- \nGrace Hopper\nRear admiral", ""},
		{"both", map[string]string{"signature": "{inbox}"}, "Grace H.", nil, "Hello.\n\n-- \nGrace H.\nAcme Support", ""},
		{"both, placed", map[string]string{"signature": `{inbox}\n{signature}`}, "Grace H.", nil, "Hello.\n\n-- \nAcme Support\nGrace H.", ""},
		{"nobody's name", map[string]string{"signature": inbox}, "", func(o *channel.Outbound) { o.AuthorName = "" }, "Hello.\n\n-- \nAcme Support, support@shop.test", ""},
		{"already there", map[string]string{"signature": inbox}, "", func(o *channel.Outbound) { o.Content.Text = "Hello.\n\nGrace\nAcme Support, support@shop.test\n" }, "Hello.\n\nGrace\nAcme Support, support@shop.test", ""},
		{"a machine", map[string]string{"signature": inbox}, "Grace H.", func(o *channel.Outbound) { o.Automatic = true }, "Hello.", ""},
		{
			"rich answer, text signature",
			map[string]string{"signature": "{agent} <b>"},
			"", func(o *channel.Outbound) { o.Content.HTML = "<p>Hello.</p>" },
			"Hello.\n\n-- \nGrace <b>", "<p>Hello.</p><div>-- <br>Grace &lt;b&gt;</div>",
		},
		{
			"rich signature",
			map[string]string{"signature": "{agent}", "signature_html": `<b onclick="x">{agent}</b><script>x</script>`},
			"<i>Own</i>",
			func(o *channel.Outbound) { o.Content.HTML, o.AuthorName = "<p>Hello.</p>", "G <race>" },
			"Hello.\n\n-- \n<i>Own</i>\nG <race>", "<p>Hello.</p><div>-- <br>&lt;i&gt;Own&lt;/i&gt;<br><b>G &lt;race&gt;</b></div>",
		},
		{"only HTML", map[string]string{"signature": "{agent}"}, "", func(o *channel.Outbound) { o.Content = channel.Content{HTML: "<p>Hi.</p>"} }, "Hi.\n\n-- \nGrace", "<p>Hi.</p><div>-- <br>Grace</div>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, "none", nil)
			w := newWorld(t, outbox(port(t, s.l), c.set))
			w.signature = func(_ context.Context, agent string) (string, error) {
				if agent != "a1" {
					return "", errors.New("no such agent")
				}
				return c.own, nil
			}
			out := outbound()
			out.Author, out.Content = "a1", channel.Content{Text: "Hello."}
			if c.change != nil {
				c.change(&out)
			}
			w.svc = w.service(t)
			for range 2 { // every attempt is the same
				if _, err := w.sender(t).Send(t.Context(), out); err != nil {
					t.Fatal(err)
				}
			}
			text, html := alternatives(t, s.all()[1].data)
			if text != c.text || html != c.html {
				t.Errorf("text %q\nwant %q\nhtml %q\nwant %q", text, c.text, html, c.html)
			}
		})
	}
}

// An agent whose signature cannot be read still answers.
func TestAnswersGoWithoutAnUnreadableSignature(t *testing.T) {
	t.Parallel()
	s := newSink(t, "none", nil)
	w := newWorld(t, outbox(port(t, s.l), nil))
	w.signature = func(context.Context, string) (string, error) { return "", errors.New("store is away") }
	w.svc = w.service(t)
	out := outbound()
	out.Author = "a1"
	if r, err := w.sender(t).Send(t.Context(), out); err != nil || r.State != channel.StateSent || strings.Contains(s.all()[0].data, "-- ") {
		t.Errorf("state %q (%v): %s", r.State, err, s.all()[0].data)
	}
}
