package email_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// outcome is what became of a mail, in a word.
func outcome(m channel.Message) string {
	switch unverified := slices.Contains(m.Flags, "unverified"); {
	case m.From.Scope == channel.ScopeUnverified && m.Assurance == 0 && unverified:
		return "refuted"
	case m.From.Scope != "":
		return "scope " + m.From.Scope
	case m.Assurance >= 2 && !unverified:
		return "verified"
	case m.Assurance == 1 && unverified:
		return "doubtful"
	case m.Assurance == 1:
		return "observed"
	}
	return "something else"
}

func TestVerifyOwn(t *testing.T) {
	t.Parallel()
	from := func(from string) string { return strings.Replace(letter, "Ada <ada@victim.org>", from, 1) }
	good := sign(t, letter, "victim.org", "s1", rsaKey())
	path := func(sender, client, by string) string {
		return "Return-Path: <" + sender + ">\nReceived: from x (x [" + client + "]) by " + by + " with ESMTP id 1; Tue, 3 Nov 2026 11:00:00 +0000\n"
	}
	cases := map[string]struct{ mail, want, evidence string }{
		"signed by its domain":                {byMX + good, "verified", "dmarc=pass dkim=victim.org"},
		"signed with ed25519":                 {byMX + sign(t, letter, "victim.org", "s2", edKey()), "verified", "dmarc=pass dkim=victim.org"},
		"signed, no Received at all":          {good, "verified", "dmarc=pass dkim=victim.org"},
		"not signed":                          {byMX + letter, "refuted", "dmarc=fail"},
		"signed by another":                   {byMX + sign(t, letter, "evil.test", "s1", rsaKey()), "refuted", "dmarc=fail"},
		"body changed":                        {byMX + strings.Replace(good, "Where is it?", "Pay me.", 1), "refuted", "dmarc=fail"},
		"subject changed":                     {byMX + strings.Replace(good, "Subject: Order", "Subject: Other", 1), "refuted", "dmarc=fail"},
		"key of another":                      {byMX + sign(t, letter, "victim.org", "s1", edKey()), "refuted", "dmarc=fail"},
		"no such key":                         {byMX + sign(t, letter, "victim.org", "s9", rsaKey()), "refuted", "dmarc=fail"},
		"a good one behind nine bad":          {byMX + strings.Repeat(sigOf(sign(t, letter, "evil.test", "s1", rsaKey())), 9) + good, "verified", "dmarc=pass dkim=victim.org"},
		"a good one behind ten bad":           {byMX + strings.Repeat(sigOf(sign(t, letter, "evil.test", "s1", rsaKey())), 10) + good, "refuted", "dmarc=fail"},
		"both signed, author's aligned":       {byMX + sign(t, good, "evil.test", "s1", rsaKey()), "verified", "dmarc=pass dkim=victim.org"},
		"subdomain, policy of the whole":      {byMX + sign(t, from("a@news.victim.org"), "victim.org", "s1", rsaKey()), "verified", "dmarc=pass dkim=victim.org"},
		"subdomain unsigned":                  {byMX + from("a@news.victim.org"), "refuted", "dmarc=fail"},
		"no policy, unsigned":                 {byMX + from("a@quiet.test"), "observed", "dmarc=none"},
		"no policy, signed":                   {byMX + sign(t, from("a@quiet.test"), "quiet.test", "s1", rsaKey()), "observed", "dmarc=none"},
		"policy none is a policy":             {byMX + from("a@evil.test"), "refuted", "dmarc=fail"},
		"strict and exact":                    {byMX + sign(t, from("a@strict.test"), "strict.test", "s1", rsaKey()), "verified", "dmarc=pass dkim=strict.test"},
		"strict and not exact":                {byMX + sign(t, from("a@strict.test"), "m.strict.test", "s1", rsaKey()), "refuted", "dmarc=fail"},
		"sent from where SPF allows":          {path("ada@victim.org", "192.0.2.10", "mx.shop.test") + letter, "verified", "dmarc=pass spf=victim.org"},
		"sent from elsewhere":                 {path("ada@victim.org", "192.0.2.11", "mx.shop.test") + letter, "refuted", "dmarc=fail"},
		"SPF of another domain":               {path("mallory@evil.test", "203.0.113.66", "mx.shop.test") + letter, "refuted", "dmarc=fail"},
		"Received of another server":          {path("ada@victim.org", "192.0.2.10", "mx.other.test") + letter, "refuted", "dmarc=fail"},
		"planted Received below":              {byMX + path("ada@victim.org", "192.0.2.10", "mx.shop.test") + letter, "refuted", "dmarc=fail"},
		"planted Received, Return-Path ours":  {"Return-Path: <ada@victim.org>\n" + byMX + path("ada@victim.org", "192.0.2.10", "mx.shop.test") + letter, "refuted", "dmarc=fail"},
		"planted Return-Path":                 {strings.Replace(path("", "192.0.2.10", "mx.shop.test"), "Return-Path: <>\n", "", 1) + "Return-Path: <ada@victim.org>\n" + letter, "refuted", "dmarc=fail"},
		"past a server that is not listed":    {path("", "203.0.113.66", "imap.shop.test") + path("ada@victim.org", "192.0.2.10", "mx.shop.test") + letter, "refuted", "dmarc=fail"},
		"past a proxy that hides clients":     {path("", "10.0.0.1", "mx.shop.test") + path("ada@victim.org", "192.0.2.10", "mx.shop.test") + letter, "refuted", "dmarc=fail"},
		"behind a filter and a mailbox":       {"Return-Path: <ada@victim.org>\nReceived: from mx.shop.test ([10.0.0.2]) by imap with LMTP id 3; now\nReceived: from localhost (localhost [127.0.0.1]) by mx.shop.test with ESMTP id 2; now\n" + "Received: from x (x [192.0.2.10]) by mx.shop.test with ESMTP id 1; now\n" + letter, "verified", "dmarc=pass spf=victim.org"},
		"HELO that is an address":             {"Return-Path: <ada@victim.org>\nReceived: from [192.0.2.10] (unknown [203.0.113.66]) by mx.shop.test with ESMTP id 1; now\n" + letter, "refuted", "dmarc=fail"},
		"HELO that is a comment":              {"Return-Path: <ada@victim.org>\nReceived: from x (y [192.0.2.10]) (unknown [203.0.113.66]) by mx.shop.test with ESMTP id 1; now\n" + letter, "refuted", "dmarc=fail"},
		"HELO that names our server":          {"Return-Path: <ada@victim.org>\nReceived: from by mx.shop.test (x [203.0.113.66]) by mx.shop.test with ESMTP id 1; now\n" + letter, "refuted", "dmarc=fail"},
		"as Exim writes it":                   {"Return-Path: <ada@victim.org>\nReceived: from [192.0.2.10] (helo=[203.0.113.66]) by mx.shop.test with esmtps id 1; now\n" + letter, "verified", "dmarc=pass spf=victim.org"},
		"as qmail writes it":                  {"Return-Path: <ada@victim.org>\nReceived: from unknown (HELO [203.0.113.66]) (192.0.2.10) by mx.shop.test with SMTP; now\n" + letter, "verified", "dmarc=pass spf=victim.org"},
		"as Exchange writes it":               {"Return-Path: <ada@victim.org>\nReceived: from mail.victim.org (192.0.2.10) by MX.shop.test (10.1.1.1) with Microsoft SMTP Server id 15.20; now\n" + letter, "verified", "dmarc=pass spf=victim.org"},
		"two From fields, one signed":         {byMX + "From: Ada <ada@victim.org>\n" + sign(t, from("m@evil.test"), "evil.test", "s1", rsaKey()), "refuted", "not verified: From is ambiguous"},
		"a second From behind a line of junk": {byMX + "From: Ada <ada@victim.org>\nX-Spam\n\tyes\n" + sign(t, from("m@evil.test"), "evil.test", "s1", rsaKey()), "refuted", ""},
		"a header some end early":             {byMX + good[:strings.Index(good, "Subject:")] + "no field\n" + good[strings.Index(good, "Subject:"):], "refuted", ""},
		"a bare CR in From":                   {byMX + from("ada@victim.org\rX: y"), "refuted", ""},
		"no From":                             {byMX + strings.Replace(letter, "From: Ada <ada@victim.org>\n", "", 1), "refuted", "not verified: From is ambiguous"},
		"From without a domain":               {byMX + from("root@localhost"), "refuted", "not verified: From has no domain"},
		"verified, but named like another":    {byMX + sign(t, from(`"ada@victim.org" <m@evil.test>`), "evil.test", "s1", rsaKey()), "doubtful", "dmarc=pass dkim=evil.test"},
		"verified, sent by another's Sender":  {byMX + sign(t, "Sender: list@quiet.test\n"+letter, "victim.org", "s1", rsaKey()), "verified", "dmarc=pass dkim=victim.org"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := verified(t, reader(testZone(), own), c.mail)
			if got := outcome(m); got != c.want || c.evidence != "" && m.Evidence != c.evidence {
				t.Errorf("%s with %q, want %s with %q", got, m.Evidence, c.want, c.evidence)
			}
		})
	}
}

// sigOf is the signature field that was put on top of a mail.
func sigOf(signed string) string { return signed[:strings.Index(signed, "\nFrom:")+1] }

func TestVerifyOff(t *testing.T) {
	t.Parallel()
	z := testZone()
	m := verified(t, reader(z, nil), byMX+"Authentication-Results: mx.shop.test; dmarc=pass\nIn-Reply-To: <"+token()+">\n"+letter)
	if outcome(m) != "observed" || m.Answers != "01JREPLY" || !m.AnswersFromSame || len(z.questions()) > 0 {
		t.Errorf("%s, answers %q, asked %v", outcome(m), m.Answers, z.questions())
	}
}

// A token is a proof only from a verified sender; from a refuted one it is nothing.
func TestVerifyToken(t *testing.T) {
	t.Parallel()
	with := func(from string) string {
		return strings.Replace(strings.Replace(letter, "Subject:", "In-Reply-To: <"+token()+">\nReferences: <x@y> <"+token()+">\nSubject:", 1), "ada@victim.org", from, 1)
	}
	r := reader(testZone(), own)
	if m := verified(t, r, sign(t, with("ada@victim.org"), "victim.org", "s1", rsaKey())); m.Assurance != 3 || m.Answers != "01JREPLY" || !m.AnswersFromSame {
		t.Errorf("returned by a verified sender: level %d, answers %q from same %v", m.Assurance, m.Answers, m.AnswersFromSame)
	}
	if m := verified(t, r, with("ada@victim.org")); m.Answers != "" || m.AnswersFromSame || m.References != nil || len(m.Refs) != 1 {
		t.Errorf("forged: answers %q from same %v, references %v", m.Answers, m.AnswersFromSame, m.References)
	}
	if m := verified(t, r, sign(t, with("m@evil.test"), "evil.test", "s1", rsaKey())); m.Assurance != 2 || m.Answers != "01JREPLY" || m.AnswersFromSame {
		t.Errorf("returned by another: level %d, answers %q from same %v", m.Assurance, m.Answers, m.AnswersFromSame)
	}
}

func TestVerifyTrouble(t *testing.T) {
	t.Parallel()
	signed := byMX + sign(t, letter, "victim.org", "s1", rsaKey())
	lame := byMX + sign(t, letter, "lame.victim.org", "s1", rsaKey())
	for name, c := range map[string]struct {
		trouble, mail, want string
		slow                bool
	}{
		"policy cannot be read":       {"_dmarc.victim.org", signed, "doubtful", false},
		"policy never comes":          {"_dmarc.victim.org", signed, "doubtful", true},
		"key of the sender's choice":  {"s1._domainkey.lame.victim.org", lame, "refuted", false},
		"key that never comes":        {"s1._domainkey.lame.victim.org", lame, "refuted", true},
		"records nobody asks about":   {"s1._domainkey.evil.test", byMX + sign(t, letter, "evil.test", "s1", rsaKey()), "refuted", true},
		"servers of the envelope's":   {"evil.test", "Return-Path: <m@evil.test>\n" + byMX + letter, "refuted", true},
		"sender's own servers, alone": {"_dmarc.evil.test", byMX + letter, "refuted", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := testZone()
				if c.slow {
					z.slow[c.trouble] = true
				} else {
					z.trouble[c.trouble] = true
				}
				r, began := reader(z, own), time.Now()
				if m := verified(t, r, c.mail); outcome(m) != c.want {
					t.Errorf("%s (%s), want %s", outcome(m), m.Evidence, c.want)
				}
				if took := time.Since(began); took > within {
					t.Errorf("it took %s", took)
				}
				// The next mail does not wait for the same servers again.
				began = time.Now()
				if m := verified(t, r, c.mail); outcome(m) != c.want || time.Since(began) > 0 {
					t.Errorf("again: %s after %s", outcome(m), time.Since(began))
				}
			})
		})
	}
}

// Answers are kept for minutes, and only names in the From domain are asked about.
func TestVerifyAsksLittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := testZone()
		r := reader(z, own)
		mail := byMX + sign(t, sign(t, letter, "victim.org", "s1", rsaKey()), "evil.test", "s1", rsaKey())
		for range 5 {
			verified(t, r, mail)
		}
		want := []string{"txt _dmarc.victim.org", "txt s1._domainkey.victim.org"}
		if got := z.questions(); !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
		time.Sleep(10 * time.Minute)
		verified(t, r, mail)
		if got := len(z.questions()); got != 4 {
			t.Errorf("after ten minutes: asked %d times, want 4", got)
		}
	})
}

// A hub that is stopping gets no verdict that would be kept.
func TestVerifyCancelled(t *testing.T) {
	t.Parallel()
	z := testZone()
	r, raw := reader(z, own), testRaw([]byte(crlf(byMX+letter)))
	items, err := r.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	z.slow["_dmarc.victim.org"] = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Verify(ctx, raw, items)
	delete(z.slow, "_dmarc.victim.org")
	if m := r.Verify(t.Context(), raw, items)[0].Message; outcome(*m) != "refuted" {
		t.Errorf("%s: trouble of a cancelled question was kept", outcome(*m))
	}
}
