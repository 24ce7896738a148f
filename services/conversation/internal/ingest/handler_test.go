package ingest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

func mail(id, from, text string) channel.Message {
	return channel.Message{
		ID: id, From: channel.Address{Kind: "email", Address: from, Name: "Ada"}, OccurredAt: domaintest.Start,
		Content: channel.Content{Subject: "Order 7", Text: text}, Assurance: 1, Evidence: "spf=pass ada", Refs: []string{"<" + id + ">"},
	}
}

func chat(id, visitor string) channel.Message {
	return channel.Message{
		ID: id, From: channel.Address{Kind: "chat", Scope: "widget", Address: visitor}, OccurredAt: domaintest.Start,
		Content: channel.Content{Text: id}, Assurance: 2,
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func body(t *testing.T, d *domaintest.Domain, m event.MessageReceived) event.MessageBody {
	t.Helper()
	b, err := seal.Open[event.MessageBody](t.Context(), d.Keys, m.Body, event.MessageAAD(m.Message))
	must(t, err)
	return b
}

func customersOf(d *domaintest.Domain) map[string]string {
	out := map[string]string{}
	for _, c := range d.Commits() {
		for _, e := range c.Events {
			if m, ok := e.(event.MessageReceived); ok {
				out[m.Raw] = strings.TrimPrefix(c.Stream, "customer.")
			}
		}
	}
	return out
}

func TestFirstMessageIsOneCommitAndSealed(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	m := mail("m1", " Ada@X.org ", "hello there")
	m.References = []string{"<newer>", "<older>"}
	must(t, d.Deliver("email", "support", "p1", m))
	cs := d.Commits()
	if len(cs) != 2 {
		t.Fatalf("%d commits, want the claim and the message", len(cs))
	}
	got := domaintest.Events[event.MessageReceived](d)[0]
	want := event.MessageBody{
		Content: m.Content, From: " Ada@X.org ", FromName: "Ada", Evidence: "spf=pass ada",
		ThreadIDs: []string{"<m1>", "<older>", "<newer>"},
	}
	if diff := cmp.Diff(want, body(t, d, got)); diff != "" {
		t.Error(diff)
	}
	for p := range d.Store.Partitions() {
		commits, err := d.Store.Read(t.Context(), p, 1, 10)
		must(t, err)
		for _, c := range commits {
			for _, r := range c.Records {
				if s := strings.ToLower(string(r.Data)); strings.ContainsAny(s, " @") {
					t.Errorf("%s holds something in clear: %s", r.Type, r.Data)
				}
			}
		}
	}
	_, a, err := d.Claims.Address(t.Context(), "default", got.Handle)
	if diff := cmp.Diff(channel.Address{Kind: "email", Address: "Ada@X.org", Name: "Ada"}, a); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestFastMessagesAndAlbumsAreOneConversation(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	must(t, d.Deliver("chat", "widget", "p1", chat("a", "v"), chat("b", "v"), chat("c", "v")))
	must(t, d.Deliver("chat", "widget", "p2", chat("d", "v")))
	if n := len(domaintest.Events[event.ConversationOpened](d)); n != 1 {
		t.Errorf("%d conversations", n)
	}
	if n := len(domaintest.Events[event.MessageReceived](d)); n != 4 {
		t.Errorf("%d messages", n)
	}
}

func TestALoginClaimsTheHandleForWhoeverHasTheAccount(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	login := func(id, visitor string) channel.Message {
		m := chat(id, visitor)
		m.Assurance, m.Evidence = 4, "jwt"
		m.ClaimsHandle = &channel.Address{Kind: "external", Scope: "widget", Address: "sub-7"}
		return m
	}
	must(t, d.Deliver("chat", "widget", "phone", login("m1", "v1")))
	must(t, d.Deliver("chat", "widget", "laptop", login("m2", "v2")))
	at := customersOf(d)
	if at["in/phone"] != at["in/laptop"] {
		t.Errorf("one account, two customers: %v", at)
	}
	if n := len(domaintest.Events[event.ConversationOpened](d)); n != 1 {
		t.Errorf("%d conversations", n)
	}
	// A visitor known before he logs in keeps his customer; the proof is kept.
	must(t, d.Deliver("chat", "widget", "tablet", chat("m3", "v3")))
	must(t, d.Deliver("chat", "widget", "tablet2", login("m4", "v3")))
	at = customersOf(d)
	if at["in/tablet2"] != at["in/tablet"] || at["in/tablet"] == at["in/phone"] {
		t.Errorf("handles changed owners: %v", at)
	}
	for _, m := range domaintest.Events[event.MessageReceived](d) {
		if wants := m.Raw == "in/tablet2"; (m.Proof != nil) != wants || wants && m.Proof.Customer != at["in/phone"] {
			t.Errorf("%s: proof %+v", m.Raw, m.Proof)
		}
	}
	levels := domaintest.Events[event.HandleAssured](d)
	if len(levels) != 1 || levels[0].Assurance != 4 {
		t.Errorf("assurances %+v", levels)
	}
}

func TestATypedClaimProvesNothing(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	for _, v := range []string{"v1", "v2"} {
		m := chat(v, v)
		m.Assurance = 1
		m.ClaimsHandle = &channel.Address{Kind: "email", Address: "ada@x.org"}
		must(t, d.Deliver("chat", "widget", v, m))
	}
	if at := customersOf(d); at["in/v1"] == at["in/v2"] {
		t.Error("joined by a typed address")
	}
}

func TestReferencesCountForTheirOwnCustomerOnly(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
	conv := domaintest.Events[event.ConversationOpened](d)[0].Conversation
	d.Clock = d.Clock.Add(1000 * time.Hour) // policy alone would begin anew

	mine := mail("m2", "ada@x.org", "2")
	mine.References = []string{"<m1>"}
	must(t, d.Deliver("email", "support", "p2", mine))
	strange := mail("m3", "eve@x.org", "3")
	strange.References = []string{"<m1>"}
	must(t, d.Deliver("email", "support", "p3", strange))

	ms := map[string]event.MessageReceived{}
	for _, m := range domaintest.Events[event.MessageReceived](d) {
		ms[m.Raw] = m
	}
	if ms["in/p2"].Conversation != conv {
		t.Error("own reference did not join")
	}
	if ms["in/p3"].Conversation == conv || slices.Contains(ms["in/p3"].Flags, "third_party") {
		t.Errorf("a stranger who quotes an id joined: %+v", ms["in/p3"])
	}
	for _, o := range domaintest.Events[event.ConversationOpened](d) {
		if o.Conversation != conv && o.Topic == conv {
			t.Error("a quoted id gave the topic away")
		}
	}
}

func TestATokenFromAnotherAddressIsRelatedAndNeverTheReplyTarget(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
	conv := domaintest.Events[event.ConversationOpened](d)[0].Conversation
	order := command.Order{Actor: "ag", Key: "1", Conversation: conv}
	sent, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: order, Text: "hi"})
	must(t, err)
	d.CatchUp()

	forwarded := mail("m2", "boss@x.org", "I take over")
	forwarded.Answers = sent.Entry
	must(t, d.Deliver("email", "support", "p2", forwarded))
	at := customersOf(d)
	if at["in/p1"] == at["in/p2"] {
		t.Fatal("a copied token claimed an address")
	}
	var theirs event.ConversationOpened
	for _, o := range domaintest.Events[event.ConversationOpened](d) {
		if o.Conversation != conv {
			theirs = o
		}
	}
	if theirs.Topic != conv {
		t.Errorf("topic %q, want the one of the conversation answered", theirs.Topic)
	}
	order.Key = "2"
	again, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: order, Text: "still to ada"})
	must(t, err)
	r := again.Events[0].(event.ReplyRequested)
	if first := sent.Events[0].(event.ReplyRequested); r.Handle != first.Handle || r.Answers != first.Answers {
		t.Errorf("the reply's address changed: %+v", r)
	}
	// From the very address it was sent to, a token joins whatever the time.
	d.Clock = d.Clock.Add(1000 * time.Hour)
	back := mail("m3", "ada@x.org", "thanks")
	back.Answers, back.AnswersFromSame = sent.Entry, true
	must(t, d.Deliver("email", "support", "p3", back))
	ms := domaintest.Events[event.MessageReceived](d)
	if i := slices.IndexFunc(ms, func(m event.MessageReceived) bool { return m.Raw == "in/p3" }); ms[i].Conversation != conv {
		t.Error("the returned token did not join")
	}
}

func TestReceiptsAndBounces(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
	conv := domaintest.Events[event.ConversationOpened](d)[0].Conversation
	sent, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: command.Order{Actor: "ag", Key: "1", Conversation: conv}, Text: "hi"})
	must(t, err)
	d.CatchUp()

	report := func(s channel.State) error {
		return d.Handle(ingest.Input{Receipt: &channel.Receipt{
			Channel: "email", Inbox: "support", Outbound: sent.Entry, Customer: sent.Customer, State: s, ProviderID: "<out1>", At: d.Clock,
		}})
	}
	must(t, report(channel.StateRetrying))
	must(t, report(channel.StateSent))
	must(t, report(channel.StateSent))
	must(t, report(channel.StateFailed)) // our own sending cannot fail what was sent
	bounce := &channel.Receipt{Outbound: sent.Entry, State: channel.StateFailed, Detail: "550 no such user", At: d.Clock}
	d.Parse = func(channel.Raw) ([]channel.Item, error) { return []channel.Item{{Receipt: bounce}}, nil }
	in := ingest.Input{Ref: "in/b", Raw: &channel.Raw{Channel: "email", Inbox: "support", ProviderID: "b"}}
	must(t, d.Handle(in))
	must(t, d.Handle(in))

	var states []string
	var last event.ReplyProgressed
	for _, last = range domaintest.Events[event.ReplyProgressed](d) {
		states = append(states, last.State)
	}
	if diff := cmp.Diff([]string{"retrying", "sent", "failed"}, states); diff != "" {
		t.Error(diff)
	}
	detail, err := d.Keys.Open(t.Context(), last.Detail, event.DetailAAD(sent.Entry))
	if string(detail) != "550 no such user" || err != nil {
		t.Errorf("detail %q, %v", detail, err)
	}
}

func TestUnreadableIsVisibleAndReadAfterTheFix(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(channel.Raw) ([]channel.Item, error){
		"error":   func(channel.Raw) ([]channel.Item, error) { return nil, errors.New("bad charset") },
		"panic":   func(channel.Raw) ([]channel.Item, error) { panic("index out of range") },
		"nothing": func(channel.Raw) ([]channel.Item, error) { return nil, nil },
		"garbage": func(channel.Raw) ([]channel.Item, error) { return []channel.Item{{}}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domaintest.New(t)
			good := d.Parse
			d.Parse = broken
			must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
			ms := domaintest.Events[event.MessageReceived](d)
			if len(ms) != 1 || ms[0].Raw != "in/p1" || !slices.Contains(ms[0].Flags, "unparsed") || body(t, d, ms[0]).Unparsed == "" {
				t.Fatalf("placeholder: %+v", ms)
			}
			d.Parse = good
			must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
			must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
			ms = domaintest.Events[event.MessageReceived](d)
			gone := domaintest.Events[event.MessageReread](d)
			if len(ms) != 2 || len(gone) != 1 || gone[0].Message != ms[0].Message || gone[0].Into[0] != ms[1].Message {
				t.Errorf("messages %d, reread %+v", len(ms), gone)
			}
		})
	}
}

func TestAnUnknownChannelIsKeptToo(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	must(t, d.Deliver("fax", "office", "p1", mail("m1", "ada@x.org", "1")))
	if ms := domaintest.Events[event.MessageReceived](d); len(ms) != 1 || body(t, d, ms[0]).Unparsed == "" {
		t.Errorf("%+v", ms)
	}
}

func TestHugeMailFitsAndSaysSo(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	m := mail("m1", "ada@x.org", strings.Repeat("é<&\"\x01", 400_000))
	m.Content.HTML, m.Content.Quoted = strings.Repeat("<b>", 400_000), strings.Repeat("q", 900_000)
	for range 5000 {
		m.CC = append(m.CC, channel.Address{Kind: "email", Address: strings.Repeat("c", 200) + "@x.org"})
		m.Content.Attachments = append(m.Content.Attachments, channel.Attachment{Name: strings.Repeat("n", 200)})
	}
	m.ClientID, m.Content.Subject = strings.Repeat("k", 5000), strings.Repeat("s", 50_000)
	must(t, d.Deliver("email", "support", "p1", m))
	got := domaintest.Events[event.MessageReceived](d)[0]
	if !slices.Contains(got.Flags, ingest.FlagTruncated) || body(t, d, got).Text == "" {
		t.Errorf("flags %v", got.Flags)
	}
}

func TestNamelessInputIsRefusedForGood(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	var permanent *ingest.PermanentError
	for _, in := range []ingest.Input{{}, {Raw: &channel.Raw{Channel: "email", Inbox: "a.b", ProviderID: "p"}}, {Raw: &channel.Raw{Channel: "email", Inbox: "i"}}} {
		if err := d.Handle(in); !errors.As(err, &permanent) {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestAStoreThatIsDownIsNoPermanentError(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	d.Store.SetHook(func(op eventstore.Op, _, _ string) error {
		if op == eventstore.BeforeAppend {
			return context.DeadlineExceeded
		}
		return nil
	})
	var permanent *ingest.PermanentError
	if err := d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")); err == nil || errors.As(err, &permanent) {
		t.Errorf("got %v", err)
	}
}
