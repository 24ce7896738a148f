package readmodel

import (
	"strings"
	"unicode/utf8"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// maxSearchText bounds what of one message is indexed, in bytes.
const maxSearchText = 32 << 10

// Search is what can be found, in plain text: notes are in it too, since only
// agents and their integrators search.
type Search struct {
	Entry        string `json:"entry"`
	Customer     string `json:"customer"`
	Conversation string `json:"conversation"`
	Position     string `json:"position"`
	Subject      string `json:"subject"`
	Text         string `json:"text"`
	Names        string `json:"names"`
}

// SearchID begins with the position, so that newer entries have greater ids and are found first.
func SearchID(e *Entry) string { return e.Position + "." + e.ID }

// opened is what was found inside a sealed body.
type opened struct {
	subject, text, name string
	names               []string
}

func openedMessage(b event.MessageBody) opened {
	o := opened{subject: b.Subject, text: b.Text, name: strings.TrimSpace(b.FromName), names: []string{b.FromName, b.From}}
	for _, a := range b.Attachments {
		o.names = append(o.names, a.Name)
	}
	if o.text == "" {
		o.text = b.Unparsed
	}
	return o
}

func openedReply(b event.ReplyBody) opened {
	o := opened{subject: b.Subject, text: b.Text, names: []string{b.To.Name, b.To.Address}}
	for _, a := range b.Attachments {
		o.names = append(o.names, a.Name)
	}
	return o
}

func (o opened) search(e *Entry) Search {
	return Search{
		Entry: e.ID, Customer: e.Customer, Conversation: e.Conversation, Position: e.Position,
		Subject: cut(o.subject, 1000), Text: cut(o.text, maxSearchText),
		Names: cut(strings.TrimSpace(strings.Join(o.names, " ")), 2000),
	}
}

// preview is one line for the queue.
func (o opened) preview() string {
	s := cut(o.text, 2000)
	return cut(strings.Join(strings.Fields(s), " "), 160)
}

// cut shortens to at most n bytes without breaking a character.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
