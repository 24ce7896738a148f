package discord_test

import (
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/discord"
)

// What agents write is shown as they wrote it: no mark of Discord's is left alive, and no address is broken.
func TestEscaped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                            "plain",
		"*a* _b_ ~~c~~ `d` ||e||":          `\*a\* \_b\_ \~\~c\~\~ ` + "\\`d\\`" + ` \|\|e\|\|`,
		`C:\new`:                           `C:\\new`,
		"<@1> <#2> <t:3> <:x:4> @everyone": `\<@1> \<#2> \<t:3> \<:x:4> @everyone`,
		"[words](https://x.test/a_b)":      `\[words](https://x.test/a_b)`,
		"see https://x.test/a_b_c, *now*":  `see https://x.test/a_b_c, \*now\*`,
		"# head\n## two\n-# small\n#no":    "\\# head\n\\## two\n\\-# small\n#no",
		"> said\n>>> more\n- one\n  - in":  "\\> said\n\\>>> more\n\\- one\n  \\- in",
		"1. first\n10. tenth\n2.5 left":    "1\\. first\n10\\. tenth\n2.5 left",
		"5 - 3 > 1":                        "5 - 3 > 1",
		"-":                                `\-`,
	} {
		got := discord.Escaped(text)
		if got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if back := rendered(got); back != text {
			t.Errorf("%q is shown as %q", text, back)
		}
	}
}

// However a text is cut, each piece fits once it is escaped, and nothing is missing.
func TestPiecesFitEscaped(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"stars": strings.Repeat("*", 5000), "numbers": strings.Repeat("1. x\n", 1000), "addresses": strings.Repeat("https://x.test/a_b ", 300), "emoji": strings.Repeat("👨‍👩‍👧‍👦", 400),
	} {
		pieces := discord.Pieces(text)
		for _, p := range pieces {
			if n := channel.UTF16Units.Length(discord.Escaped(p)); n > 2000 {
				t.Errorf("%s: a piece has %d", name, n)
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(strings.Join(pieces, "")) != squeeze(text) {
			t.Errorf("%s: something is missing", name)
		}
	}
}
