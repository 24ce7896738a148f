package command

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/visible"
)

// Limits of what is written. Together they stay below eventstore.MaxCommitBytes.
const (
	LimitText        = 100_000 // characters
	LimitHTML        = 200_000 // bytes
	LimitSubject     = 998     // characters; RFC 5322 §2.1.1 line limit
	LimitAttachments = 20
	LimitAttribute   = 2_000 // characters
	LimitAddress     = 320   // characters
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
	if len(rich) > LimitHTML {
		return channel.Content{}, &customer.FieldError{Field: "html", Problem: fmt.Sprintf("must have at most %d bytes, has %d", LimitHTML, len(rich))}
	}
	if len(files) > LimitAttachments {
		return channel.Content{}, &customer.FieldError{Field: "attachments", Problem: fmt.Sprintf("must be at most %d, are %d", LimitAttachments, len(files))}
	}
	return channel.Content{Subject: subject, Text: text, HTML: html.Sanitize(rich), Attachments: files}, nil
}
