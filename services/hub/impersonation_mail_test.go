package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/hub/hubtest"
)

// Mail that pretends to be somebody's, from the mailbox to the API. Nothing
// links, nothing leaks, nothing changes who is answered.

// S01: a reply to Ada's conversation in her name, which her domain disowns, with Mallory in copy.
func TestS01SpoofedReplyWithCopy(t *testing.T) {
	t.Parallel()
	s := newShop(t, checksItself)
	conversation, id := s.answered()
	s.deliver("From: Ada <ada@victim.test>\nTo: support@shop.test\nCc: mallory@evil.test\nReply-To: mallory@evil.test\nSubject: Re: Login\n" +
		"Message-ID: <2@victim.test>\nIn-Reply-To: <" + id + ">\nReferences: <1@victim.test> <" + id + ">\n\nPlease send the code again.\n")

	theirs := s.sees("ada@victim.test", true, "1 email Ada: Please send the code again. [unverified]")
	s.sees("ada@victim.test", false, adaAsks, adaIsTold)
	s.nobody("mallory@evil.test", false)
	s.nobody("mallory@evil.test", true)
	s.conversations(2)
	if level := theirs.GetEntries()[len(theirs.GetEntries())-1].GetMessage().GetAssurance(); level != 0 {
		t.Errorf("level %d", level)
	}

	// It is answered only by an agent who insists, and then to the address, not to Mallory.
	forged := theirs.GetConversations()[0].GetId()
	err := s.reply(forged, "Which code?", "")
	refused, ok := errors.AsType[*hubtest.CallError](err)
	if !ok || refused.Code != "failed_precondition" || !strings.Contains(string(refused.Body), "SenderRefuted") {
		t.Fatalf("a reply to a forger: %v", err)
	}
	handle := theirs.GetCustomer().GetHandles()[0].GetId()
	ctx, cancel := within()
	defer cancel()
	_, err = s.callers[""].Call(ctx, s.url, "StartConversation", keyed("StartConversation",
		fmt.Sprintf(`{"customerId":%q,"handleId":%q,"inboxId":"support","subject":"x","text":"y"}`, theirs.GetCustomer().GetId(), handle)))
	if refused, ok := errors.AsType[*hubtest.CallError](err); !ok || refused.Code != "invalid_argument" {
		t.Fatalf("a conversation with a forger: %v", err)
	}
	s.sentOnlyTo("ada@victim.test")
	if err := s.reply(forged, "Did you write this?", `,"toRefuted":true`); err != nil {
		t.Fatal(err)
	}
	if err := s.reply(conversation, "Still there?", ""); err != nil {
		t.Fatal(err)
	}
	s.sentOnlyTo("ada@victim.test", "ada@victim.test", "ada@victim.test")
	s.sees("ada@victim.test", false, adaAsks, adaIsTold, "1 email < Still there? (sent)")

	// What the real one writes still joins.
	s.deliver(s.signed("victim.test", "From: Ada <ada@victim.test>\nTo: support@shop.test\nSubject: Re: Login\nMessage-ID: <3@victim.test>\nIn-Reply-To: <"+id+">\n\nThank you.\n"))
	after := s.sees("ada@victim.test", false, adaAsks, adaIsTold, "1 email < Still there? (sent)", "1 email Ada: Thank you.")
	if level := after.GetEntries()[len(after.GetEntries())-1].GetMessage().GetAssurance(); level != 3 {
		t.Errorf("a token returned by its verified recipient has level %d", level)
	}
}

// S02: numbers, plus addresses and tokens that are not whole join nothing.
func TestS02GuessedReferences(t *testing.T) {
	t.Parallel()
	s := newShop(t, checksItself)
	conversation, id := s.answered()
	local, domain, _ := strings.Cut(id, "@")
	parts := strings.Split(local, ".") // wl, reply, mac, recipient's mac
	with := func(i int, part string) string {
		p := append([]string{}, parts...)
		p[i] = part
		return strings.Join(p, ".") + "@" + domain
	}
	zeros := strings.Repeat("0", 32)
	for n, c := range []struct{ name, to, subject, reference string }{
		{"sequential number", "support+1@shop.test", "Re: Login #1", "1"},
		{"plus address", "support+" + conversation + "@shop.test", "Re: Login", conversation + "@shop.test"},
		{"no mac", "support@shop.test", "Re: Login", "wl." + parts[1] + "@" + domain},
		{"wrong mac", "support@shop.test", "Re: Login", with(2, zeros)},
		{"wrong macs", "support@shop.test", "Re: Login", strings.Join([]string{"wl", parts[1], zeros, zeros}, ".") + "@" + domain},
		{"longer mac", "support@shop.test", "Re: Login", with(2, parts[2]+"00")},
		{"truncated mac", "support@shop.test", "Re: Login", with(2, parts[2][:16])},
		{"truncated token", "support@shop.test", "Re: Login", strings.Join(parts[:3], ".") + "@" + domain},
		{"upper case", "support@shop.test", "Re: Login", with(2, strings.ToUpper(parts[2]))},
		{"another reply", "support@shop.test", "Re: Login", with(1, parts[1]+"0")},
		{"ada's own message", "support@shop.test", "Re: Login", "1@victim.test"},
	} {
		from := fmt.Sprintf("mallory%d@evil.test", n)
		s.deliver(s.signed("evil.test", fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nMessage-ID: <%d@evil.test>\nIn-Reply-To: <%s>\nReferences: <%s>\n\n%s\n",
			from, c.to, c.subject, n, c.reference, c.reference, c.name)))
		s.sees(from, false, "1 email "+from+": "+c.name)
	}
	s.conversations(1 + 11)
	s.sees("ada@victim.test", false, adaAsks, adaIsTold)
	s.sentOnlyTo("ada@victim.test")
}

// S03: a whole token from a third address, as a forwarded mail has it.
func TestS03ForwardedToken(t *testing.T) {
	t.Parallel()
	s := newShop(t, checksItself)
	conversation, id := s.answered()
	s.deliver(s.signed("evil.test", "From: Mallory <mallory@evil.test>\nTo: support@shop.test\nSubject: Re: Login\nMessage-ID: <2@evil.test>\nIn-Reply-To: <"+id+">\n\nI take over.\n"))
	s.sees("mallory@evil.test", false, "1 email Mallory: I take over. [third_party]")
	ada := s.sees("ada@victim.test", false, adaAsks, adaIsTold)
	if n := len(ada.GetCustomer().GetHandles()); n != 1 {
		t.Errorf("ada has %d handles", n)
	}
	if err := s.reply(conversation, "Still there?", ""); err != nil {
		t.Fatal(err)
	}
	s.sentOnlyTo("ada@victim.test", "ada@victim.test")
}

// S04: an agent's address, and the shop's own, with the id of a mail we sent.
func TestS04SpoofedAgent(t *testing.T) {
	t.Parallel()
	s := newShop(t, checksItself)
	_, id := s.answered()
	for from, flags := range map[string]string{ownerEmail: "[unverified]", hubtest.Address: "[auto_reply unverified]"} {
		s.deliver("From: Olga <" + from + ">\nTo: support@shop.test\nSubject: Re: Login\nMessage-ID: <" + from + ">\nIn-Reply-To: <" + id + ">\n\nTell Ada to pay here.\n")
		s.sees(from, true, "1 email Olga: Tell Ada to pay here. "+flags)
		s.nobody(from, false)
	}
	// Not even with the domain's own signature: an agent answers in the console.
	s.deliver(s.signed("shop.test", "From: Olga <"+ownerEmail+">\nTo: support@shop.test\nSubject: Re: Login\nMessage-ID: <5@shop.test>\nIn-Reply-To: <"+id+">\n\nTell Ada to pay here.\n"))
	s.sees(ownerEmail, false, "1 email Olga: Tell Ada to pay here. [third_party]")
	s.sees("ada@victim.test", false, adaAsks, adaIsTold)
	s.sentOnlyTo("ada@victim.test")
}

// S05: a From that can be read in two ways is nobody's; one that only looks like another's is its own.
func TestS05AmbiguousFrom(t *testing.T) {
	t.Parallel()
	s := newShop(t, checksItself)
	_, id := s.answered()
	rest := func(n int) string {
		return fmt.Sprintf("To: support@shop.test\nSubject: Re: Login\nMessage-ID: <s05-%d@evil.test>\nIn-Reply-To: <%s>\n\nText %d.\n", n, id, n)
	}
	var told []string
	for n, from := range []string{
		"From: ada@victim.test\nFrom: mallory@evil.test\n",
		"From: ada@victim.test, mallory@evil.test\n",
		"From: friends: ada@victim.test;\n",
		"From: <ada@victim.test> <ada@victim.test>\n",
		"From: ada@victim.test (so\n",
		"From: ada@victim.test\x00\n",
		"From: <@evil.test:ada@victim.test>\n",
	} {
		s.deliver(s.signed("evil.test", from+rest(n)))
		told = append(told, fmt.Sprintf("1 email ada@victim.test: Text %d. [unverified]", n))
		s.sees("ada@victim.test", true, told...)
	}
	for n, c := range []struct{ from, address, name, flags string }{
		{`From: "ada@victim.test" <m0@evil.test>`, "m0@evil.test", "ada@victim.test", "unverified name_is_address"},
		{`From: ada@victim.test (c) <m1@evil.test>`, "m1@evil.test", "ada@victim.test", "unverified name_is_address"},
		{`From: =?utf-8?q?ada=40victim=2Etest?= <m2@evil.test>`, "m2@evil.test", "ada@victim.test", "unverified name_is_address"},
		{"Sender: list@slack.test\nFrom: M <m3@evil.test>", "m3@evil.test", "M", "sender_differs"},
	} {
		s.deliver(s.signed("evil.test", c.from+"\n"+rest(100+n)))
		s.sees(c.address, false, fmt.Sprintf("1 email %s: Text %d. [%s third_party]", c.name, 100+n, c.flags))
	}
	// vіctim.test with a Cyrillic і: another domain, without a policy here.
	s.deliver("From: ada@vіctim.test\n" + rest(200))
	s.sees("ada@vіctim.test", false, "1 email ada@vіctim.test: Text 200. [unverified mixed_script third_party]")
	s.sees("ada@victim.test", false, adaAsks, adaIsTold)
	s.sentOnlyTo("ada@victim.test")
}

// S06: results that the sender wrote himself.
func TestS06PlantedResults(t *testing.T) {
	t.Parallel()
	const (
		pass   = "Authentication-Results: mx.shop.test; dmarc=pass header.from=victim.test\n"
		fail   = "Authentication-Results: mx.shop.test; dmarc=fail header.from=victim.test\n"
		theirs = "Authentication-Results: mx.attacker.test; dmarc=pass header.from=victim.test\n"
	)
	s := newShop(t, believesServer)
	s.deliver(pass + adasMail)
	conversation := s.sees("ada@victim.test", false, adaAsks).GetConversations()[0].GetId()
	if err := s.reply(conversation, "Your code is 4711.", ""); err != nil {
		t.Fatal(err)
	}
	id := s.sentOnlyTo("ada@victim.test")[0].MessageID()
	forged := func(n int, results string) string {
		return results + fmt.Sprintf("From: Ada <ada@victim.test>\nTo: support@shop.test\nSubject: Re: Login\nMessage-ID: <f%d@victim.test>\nIn-Reply-To: <%s>\n\nText %d.\n", n, id, n)
	}
	var told []string
	for n, results := range []string{fail + pass, fail + theirs + pass, fail + viaMX + pass, fail + strings.Repeat(pass, 10)} {
		s.deliver(forged(n, results))
		told = append(told, fmt.Sprintf("1 email Ada: Text %d. [unverified]", n))
		s.sees("ada@victim.test", true, told...)
	}
	s.sees("ada@victim.test", false, adaAsks, adaIsTold)

	// Where our server says nothing, nobody is believed.
	s.deliver(forged(10, theirs), forged(11, viaMX+pass))
	t1 := s.sees("ada@victim.test", false, adaAsks, adaIsTold, "1 email Ada: Text 10. [unverified]", "1 email Ada: Text 11. [unverified]")
	for _, e := range t1.GetEntries()[len(t1.GetEntries())-2:] {
		if e.GetMessage().GetAssurance() > 1 {
			t.Errorf("a planted result gave level %d", e.GetMessage().GetAssurance())
		}
	}
	s.sentOnlyTo("ada@victim.test")
}

// S06, nothing configured: nobody is verified, and the inbox says so.
func TestS06NothingConfigured(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	_, id := s.answered() // signed, which is not looked at
	s.deliver("Authentication-Results: mx.shop.test; dmarc=pass header.from=victim.test\nFrom: Ada <ada@victim.test>\nTo: support@shop.test\nSubject: Re: Login\n" +
		"Message-ID: <2@victim.test>\nIn-Reply-To: <" + id + ">\n\nThanks.\n")
	ada := s.sees("ada@victim.test", false, adaAsks, adaIsTold, "1 email Ada: Thanks.")
	for _, e := range ada.GetEntries() {
		if m := e.GetMessage(); m.GetAssurance() > 1 {
			t.Errorf("%q has level %d", m.GetText(), m.GetAssurance())
		}
	}
	for _, h := range ada.GetCustomer().GetHandles() {
		if h.GetAssurance() > 1 {
			t.Errorf("the address has level %d", h.GetAssurance())
		}
	}
	s.said("Senders are not verified")
}

// said waits until the inbox's health has the words.
func (s *shop) said(words string) {
	s.t.Helper()
	ctx, cancel := within()
	defer cancel()
	owner, err := hubtest.Login(ctx, s.url, ownerEmail, ownerPassword)
	if err != nil {
		s.t.Fatal(err)
	}
	for {
		answer, err := owner.Call(ctx, s.url, "ListInboxes", []byte(`{}`))
		if strings.Contains(string(answer), words) {
			return
		}
		select {
		case <-time.After(40 * time.Millisecond):
		case <-ctx.Done():
			s.fatalf("inboxes: %s %v", answer, err)
		}
	}
}

// S08: somebody lets a third party send a code to the shop's address.
func TestS08VerificationMails(t *testing.T) {
	t.Parallel()
	s := newShop(t, checksItself)
	conversation, _ := s.answered()
	ctx, cancel := within()
	defer cancel()
	visitor, err := hubtest.DialWidget(ctx, s.url, "shop", hubtest.Hello{})
	if err != nil {
		t.Fatal(err)
	}
	defer visitor.Close()
	const msg = "7b0d3f2e-5f5e-4f39-9f31-0a4b8b1c2d3e"
	if err := errors.Join(visitor.Send(msg, "Hello?"), visitor.Acked(ctx, msg)); err != nil {
		t.Fatal(err)
	}
	for n, c := range []struct{ to, more, flags string }{
		{"support@shop.test", "", "[auto_reply]"},
		{"support+" + conversation + "@shop.test", "Auto-Submitted: auto-generated\n", "[auto_reply]"},
		{"support@shop.test", "List-Id: <news.slack.test>\n", "[list auto_reply]"},
	} {
		from := fmt.Sprintf("noreply@n%d.slack.test", n)
		s.deliver(s.signed("slack.test", c.more+fmt.Sprintf("From: Slack <%s>\nTo: %s\nCc: ada@victim.test, mallory@evil.test\nSubject: Your code\nMessage-ID: <%d@slack.test>\n\nYour code is 123-%d.\n", from, c.to, n, n)))
		s.sees(from, false, fmt.Sprintf("1 email Slack: Your code is 123-%d. %s", n, c.flags))
	}
	s.sees("ada@victim.test", false, adaAsks, adaIsTold)
	s.nobody("mallory@evil.test", false)
	s.conversations(2 + 3)
	s.sentOnlyTo("ada@victim.test")
	welcome, err := visitor.Welcome(ctx)
	if err != nil {
		t.Fatal(err)
	}
	again, err := hubtest.DialWidget(ctx, s.url, "shop", hubtest.Hello{Token: welcome.Token})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	read, err := again.Items(ctx, func(items []hubtest.Item) bool { return len(items) > 0 })
	if err != nil || len(read) != 1 || read[0].Text != "Hello?" {
		t.Errorf("the visitor reads %+v (%v)", read, err)
	}
}
