package chat

import "time"

// What the hub says to a visitor. Every field here is seen by strangers; a
// golden test holds the list, so that nothing joins it unnoticed.

type welcomeFrame struct {
	Type         string       `json:"type"`
	Token        string       `json:"token"`
	Who          string       `json:"who"` // changes with the handle; opaque
	Reset        bool         `json:"reset,omitempty"`
	Name         string       `json:"name"`
	Greeting     string       `json:"greeting,omitempty"`
	Identity     string       `json:"identity"`
	Login        *loginNotice `json:"login,omitempty"`
	EmailCapture bool         `json:"email_capture,omitempty"`
	Prove        bool         `json:"prove,omitempty"`    // an address can be proven
	Mail         bool         `json:"mail,omitempty"`     // the chat goes on by mail
	MailTo       string       `json:"mail_to,omitempty"`  // there, shortened
	SMS          bool         `json:"sms,omitempty"`      // answers follow by SMS
	SMSTo        string       `json:"sms_to,omitempty"`   // there, shortened
	SMSLike      string       `json:"sms_like,omitempty"` // how a number is written
	Form         *formFrame   `json:"form,omitempty"`     // to be answered first
	Hours        *hoursFrame  `json:"hours,omitempty"`    // nil: nothing is said of hours
	HeartbeatS   int          `json:"heartbeat_s"`
	Ticket       string       `json:"ticket"`
}

type loginNotice struct {
	Name      string `json:"name,omitempty"`
	ExpiresAt string `json:"expires_at"`
}

// formFrame is what the inbox asks before the chat, in the visitor's language
// where the site has words for it; empty words are the widget's own.
type formFrame struct {
	Fields   []formFieldFrame `json:"fields"`
	Question string           `json:"question,omitempty"`
	Consent  string           `json:"consent,omitempty"`
}

type formFieldFrame struct {
	Name     string `json:"name"` // name, email, phone, question
	Required bool   `json:"required,omitempty"`
}

// hoursFrame: until is when that ends, empty for not in sight.
type hoursFrame struct {
	Open  bool   `json:"open"`
	Until string `json:"until,omitempty"`
	Text  string `json:"text,omitempty"` // the site's words for closed
}

// transcriptFrame: the chat is on its way.
type transcriptFrame struct {
	Type     string `json:"type"`
	To       string `json:"to"` // shortened
	Messages int32  `json:"messages"`
}

// nowFrame tells that opening or closing time has come.
type nowFrame struct {
	Type  string     `json:"type"`
	Hours hoursFrame `json:"hours"`
}

type itemFrame struct {
	ID       string     `json:"id,omitempty"`
	Position string     `json:"position,omitempty"`
	From     string     `json:"from"` // "us" or "you"
	Name     string     `json:"name,omitempty"`
	Text     string     `json:"text,omitempty"`
	Files    []fileItem `json:"files,omitempty"`
	At       string     `json:"at"`
	ClientID string     `json:"client_id,omitempty"`
	State    string     `json:"state,omitempty"` // delivered, read
}

type fileItem struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

type messageFrame struct {
	Type    string    `json:"type"`
	Message itemFrame `json:"message"`
}

type messagesFrame struct {
	Type   string      `json:"type"`
	Items  []itemFrame `json:"items"`
	Cursor string      `json:"cursor"` // everything up to here has been shown
	Done   bool        `json:"done"`
}

type ackFrame struct {
	Type     string `json:"type"`
	ClientID string `json:"client_id"`
}

type typingFrame struct {
	Type   string `json:"type"`
	Typing bool   `json:"typing"`
	Name   string `json:"name,omitempty"`
}

// proofFrame: sent, wrong, over, proven. It says nothing of whose the address is.
type proofFrame struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	State     string `json:"state"`
	To        string `json:"to,omitempty"` // shortened
	TriesLeft int32  `json:"tries_left,omitempty"`
}

type errorFrame struct {
	Type         string `json:"type"`
	Code         string `json:"code"`
	Field        string `json:"field,omitempty"`
	Limit        int    `json:"limit,omitempty"`   // of the field
	Example      string `json:"example,omitempty"` // of what the field may hold
	ClientID     string `json:"client_id,omitempty"`
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
}

type pingFrame struct {
	Type string `json:"type"`
}

type byeFrame struct {
	Type         string `json:"type"`
	RetryAfterMS int64  `json:"retry_after_ms"`
}

type uploadReply struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

// VisitorFrames is one zero value of everything that is ever written to a visitor.
func VisitorFrames() []any {
	return []any{
		welcomeFrame{},
		messageFrame{},
		messagesFrame{},
		ackFrame{},
		typingFrame{},
		proofFrame{},
		nowFrame{},
		transcriptFrame{},
		errorFrame{},
		pingFrame{},
		byeFrame{},
		uploadReply{},
	}
}

// Close codes.
const (
	closeAuth      = 4001
	closeForbidden = 4003
	closeSlow      = 4008
	closeHeartbeat = 4009
	closeDraining  = 4010
	closeGarbage   = 4400
)

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
