package email_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
)

// handed is a mail with LF line ends as a listener hands it over.
func handed(mail string, via map[string]string) channel.Raw {
	raw := testRaw([]byte(crlf(mail)))
	raw.Via = via
	return raw
}

func verdictOf(t *testing.T, z *zone, set map[string]string, raw channel.Raw) channel.Message {
	t.Helper()
	r := reader(z, set)
	items, err := r.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return *r.Verify(t.Context(), raw, items)[0].Message
}

// What the listener saw counts, and nothing that the mail says of its way.
func TestVerificationUsesWhoConnected(t *testing.T) {
	t.Parallel()
	smtp := func(client, from, helo string) map[string]string {
		return map[string]string{email.ViaBy: email.ViaSMTP, email.ViaClient: client, email.ViaFrom: from, email.ViaHelo: helo}
	}
	// A forged trail that says the mail came from the domain's own server, and that ours found it good.
	forged := "Return-Path: <ada@victim.org>\nReceived: from mail.victim.org (mail.victim.org [192.0.2.10])\n\tby mx.shop.test (Postfix) with ESMTPS id 1; Tue, 3 Nov 2026 11:00:00 +0000\n" +
		"Authentication-Results: mx.shop.test; dmarc=pass header.from=victim.org\n" + letter
	withNets := maps.Clone(own)
	withNets["mx_host"] = "mx.shop.test, 198.51.100.0/24"
	serverNets := maps.Clone(authserv)
	serverNets["mx_host"] = "mx.shop.test, 198.51.100.0/24"
	helo := testZone()
	helo.txt["mail.victim.org"] = []string{"v=spf1 ip4:192.0.2.10 -all"}
	for name, c := range map[string]struct {
		zone  *zone
		set   map[string]string
		raw   channel.Raw
		level int
		scope string
	}{
		"SPF by the connecting address":         {testZone(), own, handed(letter, smtp("192.0.2.10", "ada@victim.org", "x")), 2, ""},
		"needs no mx_host":                      {testZone(), map[string]string{"verify": "own"}, handed(letter, smtp("192.0.2.10", "ada@victim.org", "x")), 2, ""},
		"IPv4 in IPv6":                          {testZone(), own, handed(letter, smtp("::ffff:192.0.2.10", "ada@victim.org", "x")), 2, ""},
		"another address":                       {testZone(), own, handed(letter, smtp("203.0.113.66", "ada@victim.org", "x")), 0, channel.ScopeUnverified},
		"a forged trail":                        {testZone(), own, handed(forged, smtp("203.0.113.66", "ada@victim.org", "x")), 0, channel.ScopeUnverified},
		"a forged result is not our server's":   {testZone(), authserv, handed(forged, smtp("203.0.113.66", "ada@victim.org", "x")), 1, ""},
		"from our own server its result counts": {testZone(), serverNets, handed(forged, smtp("198.51.100.7", "ada@victim.org", "x")), 2, ""},
		"from our own server its trail counts":  {testZone(), withNets, handed(forged, smtp("198.51.100.7", "ada@victim.org", "x")), 2, ""},
		"its envelope is not aligned":           {testZone(), own, handed(letter, smtp("203.0.113.66", "eve@evil.test", "x")), 0, channel.ScopeUnverified},
		"no sender, HELO speaks":                {helo, own, handed(letter, smtp("192.0.2.10", "", "mail.victim.org")), 2, ""},
		"no sender, HELO lies":                  {helo, own, handed(letter, smtp("203.0.113.66", "", "mail.victim.org")), 0, channel.ScopeUnverified},
		"LMTP is our server's":                  {testZone(), authserv, handed(forged, map[string]string{email.ViaBy: email.ViaLMTP, email.ViaClient: "10.0.0.1"}), 2, ""},
		"DKIM needs no address":                 {testZone(), own, handed(sign(t, letter, "victim.org", "s1", rsaKey()), smtp("203.0.113.66", "", "x")), 2, ""},
		"by the provider's word":                {testZone(), own, handed(letter, map[string]string{email.ViaBy: email.ViaWebhook, email.ViaClient: "192.0.2.10", email.ViaFrom: "ada@victim.org"}), 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := verdictOf(t, c.zone, c.set, c.raw)
			if m.Assurance != c.level || m.From.Scope != c.scope || slices.Contains(m.Flags, "unverified") != (c.level < 2) {
				t.Errorf("level %d in %q, flags %v: %s", m.Assurance, m.From.Scope, m.Flags, m.Evidence)
			}
		})
	}
}

func TestReceiveNeedsNoMailbox(t *testing.T) {
	t.Parallel()
	for _, receive := range []string{"listener", "webhook"} {
		set := map[string]string{"address": "support@shop.test", "receive": receive}
		if receive == "webhook" {
			set["webhook_provider"], set["webhook_secret"] = "postmark", "user:a-long-enough-secret"
		}
		if err := email.Check(set); err != nil {
			t.Errorf("%s: %v", receive, err)
		}
		set["imap_host"], set["imap_password"] = "imap.shop.test", "x"
		if err := email.Check(set); err == nil {
			t.Errorf("%s with a mailbox is allowed", receive)
		}
	}
	if err := email.Check(map[string]string{"address": "support@shop.test"}); err == nil {
		t.Error("no way in and none out is allowed")
	}
}
