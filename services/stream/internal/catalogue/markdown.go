package catalogue

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
)

//go:embed intro.md
var intro string

// Page is docs/events.md. A message without a comment is an error.
func Page(proto string) (string, error) {
	messages, err := Parse(proto)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("\n| event | when |\n|---|---|\n")
	for _, m := range messages {
		if m.Doc == "" {
			return "", fmt.Errorf("message %s has no comment", m.Name)
		}
		if m.Event() {
			fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", m.Name, strings.ToLower(m.Name), cell(summary(m)))
		}
	}
	for _, m := range messages {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", m.Name, sentence(summary(m)))
		if m.Event() {
			noun := "customer"
			for _, f := range m.Fields {
				if f.Name == "conversation_id" {
					noun = "conversation"
				}
			}
			fmt.Fprintf(&b, "`weftline.event.v1.%s` · NATS `weftline.v1.<tenant>.event.%s.<%s_id>.%s`\n\n", m.Name, noun, noun, snake(m.Name))
		}
		b.WriteString("| field | type | meaning |\n|---|---|---|\n")
		for _, f := range m.Fields {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", camel(f.Name), jsonType(f.Type), cell(f.Doc))
		}
	}
	return b.String(), nil
}

// summary is the comment without the name it begins with.
func summary(m Message) string {
	for _, prefix := range []string{m.Name + ": ", m.Name + " "} {
		if s, ok := strings.CutPrefix(m.Doc, prefix); ok {
			return s
		}
	}
	return m.Doc
}

func sentence(s string) string {
	r := []rune(s)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "{", `\{`).Replace(s)
}

// camel is the JSON name of a field.
func camel(s string) string {
	first, rest, ok := strings.Cut(s, "_")
	for ok {
		var next string
		next, rest, ok = strings.Cut(rest, "_")
		first += sentence(next)
	}
	return first
}

func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// jsonType is what a protobuf type is in JSON.
func jsonType(t string) string {
	if one, ok := strings.CutPrefix(t, "repeated "); ok {
		return "list of " + jsonType(one)
	}
	switch t {
	case "google.protobuf.Timestamp":
		return "string, RFC 3339"
	case "int64":
		return "string with a number"
	case "int32":
		return "number"
	case "string":
		return t
	}
	return fmt.Sprintf("[%s](#%s)", t, strings.ToLower(t))
}
