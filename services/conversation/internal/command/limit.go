package command

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/visible"
)

// Limits of what is written.
const (
	LimitText        = 100_000 // characters
	LimitHTML        = 200_000 // bytes, cleaned
	LimitSubject     = 998     // characters; RFC 5322 §2.1.1 line limit
	LimitAttachments = 20
	LimitAttribute   = 2_000 // characters
	LimitAddress     = 320   // characters

	// LimitContent bounds all of it as it is stored, where a quote is two bytes and
	// some signs are six: sealed and in base64 it stays below eventstore.MaxCommitBytes.
	LimitContent = 700_000
)

// length checks the number of characters of a field.
func length(field, s string, from, to int) error {
	if n := utf8.RuneCountInString(s); n < from || n > to {
		return &customer.FieldError{Field: field, Problem: fmt.Sprintf("must have %d to %d characters, has %d", from, to, n)}
	}
	if !utf8.ValidString(s) {
		return &customer.FieldError{Field: field, Problem: "must be UTF-8"}
	}
	return nil
}

// html keeps what a message may hold: no scripts, no styles, no forms.
var html = bluemonday.UGCPolicy()

// content checks and cleans what an agent wrote.
func content(subject, text, rich string, files []channel.Attachment) (channel.Content, error) {
	text = visible.Text(text)
	least := 1
	if len(files) > 0 {
		least = 0
	}
	if err := length("text", text, least, LimitText); err != nil {
		return channel.Content{}, err
	}
	if least == 1 && visible.Blank(text) {
		return channel.Content{}, &customer.FieldError{Field: "text", Problem: "must not be blank"}
	}
	if err := length("subject", subject, 0, LimitSubject); err != nil {
		return channel.Content{}, err
	}
	if strings.ContainsAny(subject, "\r\n\x00") {
		return channel.Content{}, &customer.FieldError{Field: "subject", Problem: "must be one line"}
	}
	// Cleaning writes entities: five bytes for an ampersand.
	if len(rich) <= LimitHTML {
		rich = html.Sanitize(rich)
	}
	if len(rich) > LimitHTML {
		return channel.Content{}, &customer.FieldError{Field: "html", Problem: fmt.Sprintf("must have at most %d bytes, has %d", LimitHTML, len(rich))}
	}
	if len(files) > LimitAttachments {
		return channel.Content{}, &customer.FieldError{Field: "attachments", Problem: fmt.Sprintf("must be at most %d, are %d", LimitAttachments, len(files))}
	}
	c := channel.Content{Subject: subject, Text: text, HTML: rich, Attachments: files}
	stored, err := seal.Marshal(c)
	if err != nil {
		return channel.Content{}, fmt.Errorf("measure content: %w", err)
	}
	if len(stored) > LimitContent {
		return channel.Content{}, &customer.FieldError{Field: "text", Problem: fmt.Sprintf("must have at most %d bytes with html as it is stored, has %d", LimitContent, len(stored))}
	}
	return c, nil
}
