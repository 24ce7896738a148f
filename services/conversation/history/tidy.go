package history

import (
	"strings"
	"unicode"

	"github.com/weftline/weftline/services/internal/visible"
)

// tidy does to a record what is done to what comes in live: names and subjects,
// which others chose, lose what turns the direction of the text around them, and texts NUL.
// What they say otherwise is for check to judge.
func (r Record) tidy() {
	switch {
	case r.Customer != nil:
		r.Customer.Name = straight(r.Customer.Name)
	case r.Conversation != nil:
		r.Conversation.Subject = straight(r.Conversation.Subject)
	case r.Message != nil:
		m := r.Message
		m.AuthorName, m.Subject = straight(m.AuthorName), straight(m.Subject)
		m.Text, m.Quoted = visible.Text(m.Text), visible.Text(m.Quoted)
		for i := range m.Attachments {
			m.Attachments[i].Name = straight(m.Attachments[i].Name)
		}
	case r.Note != nil:
		r.Note.AuthorName, r.Note.Text = straight(r.Note.AuthorName), visible.Text(r.Note.Text)
	}
}

func straight(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}
