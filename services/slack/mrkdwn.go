package slack

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Texts of Slack's ("Formatting message text") have three characters escaped,
// and what is between < and > is a mention or a link.
var (
	escape   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// plain is a text of Slack's as people read it. A mention of the app at its
// beginning is left out; marks such as *bold* stay as they were typed.
func plain(text, bot string, emoji *strings.Replacer) string {
	if bot != "" {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(text), "<@"+bot+">"); ok && strings.TrimSpace(rest) != "" {
			text = strings.TrimLeft(rest, " :,\n\t")
		}
	}
	if emoji != nil {
		text = emoji.Replace(text)
	}
	var b strings.Builder
	for text != "" {
		before, rest, open := strings.Cut(text, "<")
		b.WriteString(unescape.Replace(before))
		if !open {
			break
		}
		inside, after, closed := strings.Cut(rest, ">")
		if !closed {
			b.WriteString("<" + unescape.Replace(rest))
			break
		}
		b.WriteString(unescape.Replace(reference(inside)))
		text = after
	}
	return b.String()
}

// reference is what stands between < and >.
func reference(s string) string {
	target, label, _ := strings.Cut(s, "|")
	if target == "" {
		return "<" + s + ">"
	}
	switch target[0] {
	case '@': // a user
		return "@" + strings.TrimPrefix(cmp.Or(label, target[1:]), "@")
	case '#': // a channel
		return "#" + strings.TrimPrefix(cmp.Or(label, target[1:]), "#")
	case '!': // here, channel, everyone, subteam^ID, date^…
		word, _, _ := strings.Cut(target[1:], "^")
		switch {
		case word == "date" && label != "":
			return label
		case label != "":
			return "@" + strings.TrimPrefix(label, "@")
		}
		return "@" + word
	}
	address := strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "tel:")
	switch {
	case label == "" || label == address || strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(target, "https://"), "http://"), "/") == label:
		return cmp.Or(address, target)
	}
	return label + " (" + address + ")"
}

// emojiIn finds the emoji of a message among its blocks: its text has their
// names alone, ":wave:", its blocks the characters, too.
func emojiIn(blocks json.RawMessage) *strings.Replacer {
	var tree any
	if len(blocks) == 0 || json.Unmarshal(blocks, &tree) != nil {
		return nil
	}
	found := map[string]string{}
	collect(tree, found)
	if len(found) == 0 {
		return nil
	}
	var pairs []string
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	// The longest first: ":wave::skin-tone-3:" before ":wave:".
	slices.SortFunc(names, func(x, y string) int { return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(x, y)) })
	for _, name := range names {
		pairs = append(pairs, name, found[name])
	}
	return strings.NewReplacer(pairs...)
}

func collect(node any, found map[string]string) {
	switch v := node.(type) {
	case []any:
		for _, e := range v {
			collect(e, found)
		}
	case map[string]any:
		name, _ := v["name"].(string)
		code, _ := v["unicode"].(string)
		if v["type"] == "emoji" && name != "" && len(name) <= 100 && !strings.ContainsAny(name, "<>&") && len(found) < 500 {
			if s := characters(code); s != "" {
				key := ":" + name + ":"
				if tone, ok := v["skin_tone"].(float64); ok && tone >= 1 && tone <= 6 {
					key += ":skin-tone-" + strconv.Itoa(int(tone)) + ":"
				}
				found[key] = s
			}
			return
		}
		for _, e := range v {
			collect(e, found)
		}
	}
}

// characters are those of "1f468-200d-1f469".
func characters(code string) string {
	var b strings.Builder
	if len(code) > 100 {
		return ""
	}
	for part := range strings.SplitSeq(code, "-") {
		n, err := strconv.ParseUint(part, 16, 32)
		if err != nil || n < ' ' || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) || strings.ContainsRune("<>&", rune(n)) {
			return ""
		}
		b.WriteRune(rune(n))
	}
	return b.String()
}
