package chat

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxText     = 10_000 // characters
	maxFiles    = 10     // of one message
	maxFrame    = 64 << 10
	maxPosition = 128
)

// clientFrame is what a visitor says. Which fields matter depends on Type.
type clientFrame struct {
	Type        string   `json:"type"`
	Token       string   `json:"token"`
	JWT         string   `json:"jwt"`
	Who         string   `json:"who"`
	After       string   `json:"after"`
	ClientID    string   `json:"client_id"`
	Text        string   `json:"text"`
	Attachments []string `json:"attachments"`
	Typing      bool     `json:"typing"`
	Position    string   `json:"position"`
	Address     string   `json:"address"`
	ID          string   `json:"id"`
	Code        string   `json:"code"`
	Lang        string   `json:"lang"`
	Invite      string   `json:"invite"`
	Name        string   `json:"name"`
	Email       string   `json:"email"`
	Phone       string   `json:"phone"`
	Question    string   `json:"question"`
	Consent     bool     `json:"consent"`
}

// frameError is a frame that cannot be taken. Garbage is no mistake of a
// person: the connection ends. Otherwise the visitor is told the field.
type frameError struct {
	Garbage bool
	Field   string
	Limit   int    // of the field, where it has one
	Example string // what the field may hold
	Missing bool   // the field must be answered
}

func (e *frameError) Error() string {
	if e.Garbage {
		return "frame is garbage: " + e.Field
	}
	return "frame is not valid: " + e.Field
}

var (
	clientIDForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	positionForm = regexp.MustCompile(`^[0-9A-Za-z_.:-]{0,128}$`)
)

// decodeFrame reads one frame. The returned frame is usable for its ClientID
// even when the error is not garbage.
func decodeFrame(b []byte) (clientFrame, error) {
	var f clientFrame
	if len(b) > maxFrame || !utf8.Valid(b) {
		return f, &frameError{Garbage: true, Field: "bytes"}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return clientFrame{}, &frameError{Garbage: true, Field: "json"}
	}
	if !positionForm.MatchString(f.After) || !positionForm.MatchString(f.Position) {
		return f, &frameError{Garbage: true, Field: "position"}
	}
	switch f.Type {
	case "hello":
		if len(f.Token) > 256 || len(f.Who) > 64 {
			return f, &frameError{Garbage: true, Field: "token"}
		}
		if !langForm(f.Lang) {
			f.Lang = ""
		}
	case "message":
		return f, f.checkMessage()
	case "email":
		if !clientIDForm.MatchString(f.ClientID) {
			return f, &frameError{Garbage: true, Field: "client_id"}
		}
		if f.Address = strings.TrimSpace(f.Address); !validEmail(f.Address) {
			return f, &frameError{Field: "address", Limit: maxFormEmail}
		}
	case "phone": // how it is read depends on the inbox
		if !clientIDForm.MatchString(f.ClientID) {
			return f, &frameError{Garbage: true, Field: "client_id"}
		}
	case "prove":
		if f.Phone != "" {
			break // likewise
		}
		if f.Address = strings.TrimSpace(f.Address); !validEmail(f.Address) {
			return f, &frameError{Field: "address", Limit: maxFormEmail}
		}
	case "form": // its fields are checked against what the inbox asks
		if !clientIDForm.MatchString(f.ClientID) {
			return f, &frameError{Garbage: true, Field: "client_id"}
		}
		f.ClientID = strings.ToLower(f.ClientID)
	case "code":
		if !proofForm.MatchString(f.ID) || len(f.Code) > 64 {
			return f, &frameError{Garbage: true, Field: "code"}
		}
	case "typing", "read", "delivered", "pong", "transcript":
	default:
		return f, &frameError{Garbage: true, Field: "type"}
	}
	return f, nil
}

func (f *clientFrame) checkMessage() error {
	if !clientIDForm.MatchString(f.ClientID) {
		return &frameError{Garbage: true, Field: "client_id"}
	}
	f.ClientID = strings.ToLower(f.ClientID)
	if utf8.RuneCountInString(f.Text) > maxText {
		return &frameError{Field: "text", Limit: maxText}
	}
	f.Text = cleanText(f.Text)
	if len(f.Attachments) > maxFiles {
		return &frameError{Field: "attachments", Limit: maxFiles}
	}
	if f.Text == "" && len(f.Attachments) == 0 {
		return &frameError{Field: "text"}
	}
	return nil
}

// cleanText drops control characters other than line ends and tabs, and outer space.
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
