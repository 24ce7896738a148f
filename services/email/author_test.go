package email_test

import (
	"slices"
	"strings"
	"testing"
)

// One rule decides the address; what another reader could read differently is
// ambiguous, and what only looks like somebody is flagged.
func TestWhoAMailIsFrom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, address, flags string }{
		{"From: Ada <ada@x.org>", "ada@x.org", ""},
		{"From: ada@x.org (Ada)", "ada@x.org", ""},
		{"From: (a (nested) comment) ada@x.org", "ada@x.org", ""},
		{`From: "Ada, of X" <ada@x.org>`, "ada@x.org", ""},
		{"From: ada@x.org <ada@x.org>", "ada@x.org", ""},
		{"From: ada@bücher.example", "ada@bücher.example", ""},
		{"From: ada@日本語.jp", "ada@日本語.jp", ""},
		{"From: ada@пример.рф", "ada@пример.рф", ""},
		{"Sender: office@x.org\nFrom: ada@x.org", "ada@x.org", ""},

		{"From: ada@x.org\nFrom: evil@y.org", "ada@x.org", "ambiguous"},
		{"From: ada@x.org\nfrom : evil@y.org", "ada@x.org", "ambiguous"},
		{"From: ada@x.org, evil@y.org", "ada@x.org", "ambiguous"},
		{"From: ada@x.org evil@y.org", "evil@y.org", "ambiguous"},
		{"From: <ada@x.org><evil@y.org>", "evil@y.org", "ambiguous"},
		{"From: friends:ada@x.org;", "ada@x.org", "ambiguous"},
		{"From: ada@x.org (", "ada@x.org", "ambiguous"},
		{"From: ada@x.org (<evil@y.org>", "ada@x.org", "ambiguous"},
		{"From: =?utf-8?q?ada?=@x.org", "", "ambiguous"},
		{"From: <=?utf-8?q?ada=40x.org?=@y.org>", "=?utf-8?q?ada=40x.org?=@y.org", "ambiguous"},
		{"From: ada@x.org\x00", "ada@x.org", "ambiguous"},
		{"From: ada@x.org\x00@y.org", "ada@x.org@y.org", "ambiguous"},
		{"From: ada@x.org\rX: y", "", "ambiguous"},
		{"From: <@y.org:ada@x.org>", "ada@x.org", "ambiguous"},
		{"From: ada@x.org@y.org", "ada@x.org@y.org", "ambiguous"},
		{`From: "ada"@x.org@y.org`, `"ada"@x.org@y.org`, "ambiguous"},
		{"From: ada＠x.org@y.org", "ada＠x.org@y.org", "ambiguous"},
		{"Sender: ada@x.org", "ada@x.org", "ambiguous"},

		{`From: "ada@x.org" <evil@y.org>`, "evil@y.org", "name_is_address"},
		{"From: ada@x.org <evil@y.org>", "evil@y.org", "name_is_address"},
		{"From: ada@x.org (c) <evil@y.org>", "evil@y.org", "name_is_address"},
		{"From: =?utf-8?b?YWRhQHgub3Jn?= <evil@y.org>", "evil@y.org", "name_is_address"},
		{"From: ada＠x.org via shop <evil@y.org>", "evil@y.org", "name_is_address"},
		{"From: <evil@y.org> ada@x.org", "evil@y.org", "name_is_address"},
		{"Sender: evil@y.org\nFrom: ada@x.org", "ada@x.org", "sender_differs"},
		{"From: ada@pаypal.com", "ada@pаypal.com", "mixed_script"},               // Cyrillic а
		{"From: ada@xn--pypal-4ve.com", "ada@xn--pypal-4ve.com", "mixed_script"}, // the same, encoded
		{"From: ada@аррӏе.com", "ada@аррӏе.com", "mixed_script"},                 // all Cyrillic, all look-alike
		{"From: ada@gοοgle.com", "ada@gοοgle.com", "mixed_script"},               // Greek ο
		{"From: ada@xn--99999999.com", "ada@xn--99999999.com", "mixed_script"},
		{"Sender: e@z.org\nFrom: \"ada@x.org\" <e@pаypal.com>", "e@pаypal.com", "sender_differs name_is_address mixed_script"},
	} {
		items, err := testParser().Parse(testRaw([]byte(crlf(c.from + "\nSubject: x\n\nText\n"))))
		if err != nil {
			t.Errorf("%q: %v", c.from, err)
			continue
		}
		m := items[0].Message
		flags := strings.Join(slices.DeleteFunc(slices.Clone(m.Flags), func(f string) bool { return f == "unverified" }), " ")
		if m.Evidence == "from, ambiguous" {
			flags = strings.TrimSpace("ambiguous " + flags)
		}
		if (flags != "") != slices.Contains(m.Flags, "unverified") {
			t.Errorf("%q: flags %v", c.from, m.Flags)
		}
		if strings.HasSuffix(m.From.Address, "@sender.invalid") {
			m.From.Address = "" // nobody can be named
		}
		if m.From.Address != c.address || !strings.HasPrefix(flags, c.flags) || c.flags == "" && flags != "" {
			t.Errorf("%q is from %q, %q; want %q, %q", c.from, m.From.Address, flags, c.address, c.flags)
		}
		if level := m.Assurance; level != map[bool]int{true: 0, false: 1}[strings.HasPrefix(c.flags, "ambiguous")] {
			t.Errorf("%q has level %d", c.from, level)
		}
	}
}
