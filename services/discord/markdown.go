package discord

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What stands between < and > in a text of Discord's ("Message Formatting"), links
// with words of their own, characters behind a backslash, and code, in which none of them is any of that.
var (
	code   = regexp.MustCompile("(?s)```.*?```|``.*?``|`[^`\n]*`")
	tokens = regexp.MustCompile(`<@!?(\d{1,20})>|<@&(\d{1,20})>|<#(\d{1,20})>|<a?:(\w{1,40}):\d{1,20}>|<t:(-?\d{1,13})(?::[a-zA-Z])?>|<(/[^<>:\n]{1,100}):\d{1,20}>|<id:(\w{1,20})>|<(https?://[^\s<>]+)>|\[([^\[\]\n]{1,500})\]\(<?(https?://[^\s<>()]+)>?(?: "[^"\n]*")?\)|\\([!-/:-@\[-` + "`" + `{-~])`)
	shrug  = `¯\_(ツ)_/¯`
)

// plain is a text of Discord's as people read it: mentions are names, dates are
// dates. Marks such as **bold** stay as they were typed.
func plain(text string, mentioned []user) string {
	var b strings.Builder
	at := 0
	for _, span := range code.FindAllStringIndex(text, -1) {
		b.WriteString(read(text[at:span[0]], mentioned))
		b.WriteString(text[span[0]:span[1]])
		at = span[1]
	}
	b.WriteString(read(text[at:], mentioned))
	return b.String()
}

func read(text string, mentioned []user) string {
	if strings.Contains(text, shrug) {
		before, after, _ := strings.Cut(text, shrug)
		return read(before, mentioned) + shrug + read(after, mentioned)
	}
	return tokens.ReplaceAllStringFunc(text, func(s string) string {
		m := tokens.FindStringSubmatch(s)
		switch {
		case m[1] != "":
			for _, u := range mentioned {
				if u.ID == m[1] && u.called() != "" {
					return "@" + u.called()
				}
			}
			return "@" + m[1]
		case m[2] != "":
			return "@" + m[2]
		case m[3] != "":
			return "#" + m[3]
		case m[4] != "":
			return ":" + m[4] + ":"
		case m[5] != "":
			return date(s, m[5])
		case m[6] != "", m[7] != "", m[8] != "":
			return cmp.Or(m[6], m[7], m[8])
		case m[9] != "" && m[9] == m[10]:
			return m[10]
		case m[9] != "":
			return m[9] + " (" + m[10] + ")"
		}
		return m[11]
	})
}

// date is a time of Discord's, which everybody sees in his own; here in UTC.
func date(s, unix string) string {
	n, err := strconv.ParseInt(unix, 10, 64)
	if at := time.Unix(n, 0).UTC(); err == nil && at.Year() > 0 && at.Year() < 10_000 {
		return at.Format("2006-01-02 15:04 UTC")
	}
	return s
}

// What Discord would read as markup in what we send: marks anywhere, and those at the beginning of a line.
var (
	marks = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, `~`, `\~`, "`", "\\`", `|`, `\|`, `<`, `\<`, `[`, `\[`)
	links = regexp.MustCompile(`https?://[^\s<]+[^<.,:;"'\]\s]`)
	lines = regexp.MustCompile(`(?m)^([ \t]*)(>>>|>|#{1,3}|-#|-|\d{1,9}\.)([ \t]|$)`)
)

// escaped is a text that Discord shows as it is. Addresses are left alone: they
// are no markup, and a backslash would be a part of them.
func escaped(text string) string {
	var b strings.Builder
	at := 0
	for _, span := range links.FindAllStringIndex(text, -1) {
		b.WriteString(marks.Replace(text[at:span[0]]))
		b.WriteString(text[span[0]:span[1]])
		at = span[1]
	}
	b.WriteString(marks.Replace(text[at:]))
	return lines.ReplaceAllStringFunc(b.String(), func(s string) string {
		m := lines.FindStringSubmatch(s)
		if mark, number := strings.CutSuffix(m[2], "."); number {
			return m[1] + mark + `\.` + m[3]
		}
		return m[1] + `\` + m[2] + m[3]
	})
}
