package email_test

import (
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"pgregory.net/rapid"
)

func TestVerifyAuthserv(t *testing.T) {
	t.Parallel()
	const (
		pass = "Authentication-Results: mx.shop.test; dmarc=pass (p=reject dis=none) header.from=victim.org\n"
		fail = "Authentication-Results: mx.shop.test;\n\tspf=pass smtp.mailfrom=m@evil.test;\n\tdmarc=fail (p=reject dis=quarantine) header.from=victim.org\n"
		none = "Authentication-Results: mx.shop.test; dmarc=none header.from=victim.org\n"
		spf  = "Authentication-Results: mx.shop.test; spf=pass smtp.mailfrom=victim.org; dkim=pass header.d=victim.org\n"
		away = "Received: from ada (ada [198.51.100.7]) by mail.victim.org with ESMTPSA id 9; now\n"
	)
	planted := strings.ReplaceAll(byMX, "203.0.113.66", "192.0.2.10")
	cases := map[string]struct{ mail, want string }{
		"above":                                 {pass + byMX + away + letter, "verified"},
		"right below":                           {byMX + pass + away + letter, "verified"},
		"below without another Received":        {byMX + pass + letter, "verified"},
		"id in other case, with version":        {byMX + strings.Replace(pass, "mx.shop.test", "MX.Shop.TEST 1", 1) + letter, "verified"},
		"fail":                                  {byMX + fail + letter, "refuted"},
		"none":                                  {byMX + none + letter, "observed"},
		"temperror":                             {byMX + strings.Replace(none, "none", "temperror", 1) + letter, "doubtful"},
		"a word nobody knows":                   {byMX + strings.Replace(none, "none", "perhaps", 1) + letter, "doubtful"},
		"no DMARC result":                       {byMX + spf + letter, "doubtful"},
		"no result":                             {byMX + letter, "doubtful"},
		"no Received":                           {pass + letter, "doubtful"},
		"of another server":                     {byMX + strings.Replace(pass, "mx.shop.test", "mx.attacker.test", 1) + letter, "doubtful"},
		"our id as a comment":                   {byMX + strings.Replace(pass, "mx.shop.test", "mx.attacker.test (mx.shop.test)", 1) + letter, "doubtful"},
		"about another domain":                  {byMX + strings.Replace(pass, "victim.org", "evil.test", 1) + letter, "refuted"},
		"planted below ours":                    {byMX + fail + pass + letter, "refuted"},
		"planted below ours which has none":     {byMX + spf + pass + letter, "doubtful"},
		"planted many times":                    {byMX + fail + strings.Repeat(pass, 20) + letter, "refuted"},
		"planted below a foreign Received":      {byMX + away + pass + letter, "doubtful"},
		"planted below a Received in our name":  {byMX + planted + pass + letter, "doubtful"},
		"planted behind another's":              {byMX + strings.Replace(fail, "mx.shop.test", "mx.other.test", 1) + away + pass + letter, "doubtful"},
		"two above that differ":                 {pass + fail + byMX + letter, "refuted"},
		"two above, one with DMARC":             {spf + pass + byMX + letter, "verified"},
		"two above do not reach below":          {spf + byMX + pass + letter, "doubtful"},
		"two results in one":                    {byMX + strings.Replace(fail, ";\n", "; dmarc=pass;\n", 1) + letter, "refuted"},
		"through a server that is not ours":     {strings.ReplaceAll(byMX, "mx.shop.test", "imap.shop.test") + byMX + pass + letter, "doubtful"},
		"local part that closes the result":     {byMX + strings.Replace(fail, "m@evil.test", `"; dmarc=pass header.from=victim.org; x="@evil.test`, 1) + letter, "refuted"},
		"comment that holds a result":           {byMX + strings.Replace(none, "dmarc=none", "spf=pass (domain of x; dmarc=pass header.from=victim.org) smtp.mailfrom=x@evil.test; dmarc=none", 1) + letter, "observed"},
		"comment that closes too soon":          {byMX + strings.Replace(none, "dmarc=none", "spf=pass (domain of x) ; dmarc=pass (y) smtp.mailfrom=x@evil.test; dmarc=none", 1) + letter, "refuted"},
		"comment that never closes":             {byMX + strings.Replace(pass, "(p=reject", "((p=reject", 1) + letter, "refuted"},
		"quote that never closes":               {byMX + strings.Replace(pass, "header.from", `x=" header.from`, 1) + letter, "refuted"},
		"unreadable above a planted one":        {byMX + strings.Replace(fail, "(p=", "((p=", 1) + pass + letter, "refuted"},
		"two From fields":                       {byMX + pass + "From: m@evil.test\n" + letter, "refuted"},
		"two addresses":                         {byMX + pass + strings.Replace(letter, "Ada <ada@victim.org>", "ada@victim.org, m@evil.test", 1), "refuted"},
		"ARC-Authentication-Results is nothing": {byMX + "ARC-" + pass + letter, "doubtful"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := verified(t, reader(nil, authserv), c.mail)
			if got := outcome(m); got != c.want {
				t.Errorf("%s (%s), want %s", got, m.Evidence, c.want)
			}
		})
	}
}

// Common providers, as their mail really begins.
func TestVerifyAuthservProviders(t *testing.T) {
	t.Parallel()
	const gmail = `Delivered-To: support@shop.test
Received: by 2002:a05:6a10:1:b0:1:2 with SMTP id a1csp1; Tue, 3 Nov 2026 03:00:00 -0800 (PST)
X-Received: by 2002:a17:906:1 with SMTP id g1; Tue, 3 Nov 2026 03:00:00 -0800 (PST)
ARC-Authentication-Results: i=1; mx.google.com; dmarc=pass header.from=victim.org
Return-Path: <ada@victim.org>
Received: from mail.victim.org (mail.victim.org. [192.0.2.10])
        by mx.google.com with ESMTPS id l1 for <support@shop.test>
        (version=TLS1_3); Tue, 03 Nov 2026 03:00:00 -0800 (PST)
Received-SPF: pass (google.com: domain of ada@victim.org designates 192.0.2.10 as permitted sender) client-ip=192.0.2.10;
Authentication-Results: mx.google.com;
       dkim=pass header.i=@victim.org header.s=s1 header.b=abc;
       spf=pass (google.com: domain of ada@victim.org designates 192.0.2.10 as permitted sender) smtp.mailfrom=ada@victim.org;
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=victim.org
`
	const fastmail = `Return-Path: <ada@victim.org>
Received: from phl-imap-01.internal (phl-imap-01.phl.internal [10.202.2.1])
	 by store1 (Cyrus 3.9) with LMTPA; Tue, 03 Nov 2026 06:00:00 -0500
Received: from phl-mx-02.messagingengine.com ([10.202.2.202])
	 by phl-imap-01.internal (LMTPProxy); Tue, 03 Nov 2026 06:00:00 -0500
Authentication-Results: phl-mx-02.messagingengine.com;
    dkim=pass (2048-bit rsa key sha256) header.d=victim.org header.i=@victim.org;
    dmarc=pass policy.published-domain-policy=reject
      policy.evaluated-disposition=none (p=reject) header.from=victim.org;
    spf=pass smtp.mailfrom=ada@victim.org
Received: from mail.victim.org (mail.victim.org [192.0.2.10])
	by phl-mx-02.messagingengine.com (Postfix) with ESMTPS id 1
	for <support@shop.test>; Tue,  3 Nov 2026 06:00:00 -0500 (EST)
`
	for name, c := range map[string]struct {
		head, want string
		set        map[string]string
	}{
		"Gmail":                        {gmail, "verified", map[string]string{"authserv_id": "mx.google.com"}},
		"Gmail with its host":          {gmail, "verified", map[string]string{"authserv_id": "mx.google.com", "mx_host": "mx.google.com"}},
		"Gmail with another's":         {gmail, "doubtful", map[string]string{"authserv_id": "mx.google.com", "mx_host": "mx.shop.test"}},
		"Fastmail":                     {fastmail, "verified", map[string]string{"authserv_id": ".messagingengine.com", "mx_host": ".messagingengine.com, 10.0.0.0/8"}},
		"Fastmail without its network": {fastmail, "doubtful", map[string]string{"authserv_id": ".messagingengine.com", "mx_host": ".messagingengine.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.set["verify"] = "authserv"
			if m := verified(t, reader(nil, c.set), c.head+letter); outcome(m) != c.want {
				t.Errorf("%s (%s), want %s", outcome(m), m.Evidence, c.want)
			}
		})
	}
}

// Whatever a sender writes, in his mail or in his own address, what our server
// found stands. Fields he plants come below ours; his address is quoted as RFC 8601 wants.
func TestVerifyAuthservPlanted(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"mx.shop.test", "mx.evil.test", "dmarc=pass", "dmarc=fail", "header.from=victim.org", "header.from=evil.test", "spf=pass",
		"smtp.mailfrom=", ";", " ", "(", ")", `\`, "=", "@", "victim.org", "x", "1", "\t", "\n ", ",", "<", ">",
	}
	fields := []string{
		"Authentication-Results: ", "Received: ", "Received: from x (x [192.0.2.10]) by mx.shop.test with ESMTP id 1; ", "Return-Path: ", "X: ",
		"Authentication-Results: mx.shop.test; dmarc=pass header.from=victim.org; ",
	}
	text := rapid.Custom(func(rt *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(rt, "pieces"), "")
	})
	r := reader(nil, authserv)
	rapid.Check(t, func(rt *rapid.T) {
		local := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", "", "\t", "").Replace(text.Draw(rt, "local part"))
		value := rapid.SampledFrom([]string{"fail", "none", "pass"}).Draw(rt, "our result")
		ours := "Authentication-Results: mx.shop.test; spf=pass smtp.mailfrom=\"" + local + "\"@evil.test; dmarc=" + value + " header.from=victim.org\n"
		above := rapid.Bool().Draw(rt, "above")
		var planted strings.Builder
		for range rapid.IntRange(0, 5).Draw(rt, "planted") {
			planted.WriteString(rapid.SampledFrom(fields).Draw(rt, "field") + strings.TrimSpace(text.Draw(rt, "value")) + "\n")
		}
		mail := byMX + ours + planted.String() + letter
		if above {
			mail = ours + byMX + planted.String() + letter
		}
		want := map[string]string{"fail": "refuted", "none": "observed", "pass": "verified"}[value]
		m := verified(rt2t{t, rt}, r, mail)
		if got := outcome(m); got != want {
			rt.Fatalf("%s (%s), want %s, of\n%s", got, m.Evidence, want, mail)
		}
	})
}

// rt2t is a testing.TB that fails the draw.
type rt2t struct {
	testing.TB
	rt *rapid.T
}

func (r rt2t) Helper()           {}
func (r rt2t) Fatal(args ...any) { r.rt.Fatal(args...) }
func (r rt2t) Fatalf(format string, args ...any) {
	r.rt.Fatalf(format, args...)
}

// FuzzVerify: no mail panics or makes more of its sender than our server's field says; none is lost.
func FuzzVerify(f *testing.F) {
	f.Add("mx.shop.test; dmarc=pass header.from=victim.org", letter)
	f.Add("mx.shop.test; dmarc=fail (((\"", "Received: by x\n"+letter)
	f.Add("mx.shop.test 1; spf=pass smtp.mailfrom=\"a;b\"@x; dmarc=pass", "From: <a@victim.org>\n\n")
	r := reader(nil, authserv)
	f.Fuzz(func(t *testing.T, results, mail string) {
		results = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(results)
		raw := testRaw([]byte(byMX + "Authentication-Results: " + results + "\r\n" + mail))
		items, err := r.Parse(raw)
		if err != nil || items[0].Message == nil {
			return
		}
		m := r.Verify(t.Context(), raw, items)[0].Message
		if m.ID != items[0].Message.ID || m.Assurance > items[0].Message.Assurance && !strings.Contains(strings.ToLower(results), "pass") && !strings.Contains(results, `\`) && !strings.Contains(results, `"`) {
			t.Errorf("level %d (%s) by %q", m.Assurance, m.Evidence, results)
		}
		if m.Assurance < 2 && m.AnswersFromSame && m.From.Scope == channel.ScopeUnverified {
			t.Error("a refuted sender kept a token")
		}
	})
}
