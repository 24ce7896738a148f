package api

import "time"

// Limits of one request and what is in it.
const (
	maxRequest = 16 << 20
	maxText    = 100_000
	maxFile    = 5 << 20
	maxFiles   = 10
	maxID      = 200 // characters of from.id
)

// Types of events. All come in; message, typing and ping go out, too.
const (
	typeMessage   = "message"
	typeEdited    = "edited"
	typeDeleted   = "deleted"
	typeReacted   = "reacted"
	typeUnreacted = "unreacted"
	typeReceipt   = "receipt"
	typeTyping    = "typing"
	typePing      = "ping"
)

// Event is what both sides post. Unknown fields are ignored, so either side may
// be newer.
type Event struct {
	Type string `json:"type"`
	// ID of the message, in its sender's namespace; for ever unique in the inbox.
	ID   string    `json:"id,omitempty"`
	From *Party    `json:"from,omitempty"` // incoming: your user
	To   *Party    `json:"to,omitempty"`   // outgoing: your user
	At   time.Time `json:"at,omitzero"`    // when it was said; absent: when it came

	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	HTML    string `json:"html,omitempty"`
	Files   []File `json:"files,omitempty"`
	Thread  string `json:"thread,omitempty"`
	// Answers is the id of the message this one answers, ours or yours.
	Answers string `json:"answers,omitempty"`

	// Message is what edited, deleted, reacted, unreacted and receipt are about.
	Message string `json:"message,omitempty"`
	Emoji   string `json:"emoji,omitempty"`
	// State of a receipt: delivered, read or failed; Detail says why it failed.
	State  string `json:"state,omitempty"`
	Detail string `json:"detail,omitempty"`

	Author       string `json:"author,omitempty"` // outgoing: who answers, as customers see him
	Conversation string `json:"conversation,omitempty"`
	Automatic    bool   `json:"automatic,omitempty"`
	Typing       bool   `json:"typing,omitempty"` // both ways
}

// Party is one of your users.
type Party struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Email is a claim unless EmailVerified says that your backend has proven it.
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
}

// File is an attachment, its bytes in base64.
type File struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Data []byte `json:"data"`
}
