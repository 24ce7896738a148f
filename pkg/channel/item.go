package channel

import "time"

// Item is one thing found in an input: exactly one field is set.
type Item struct {
	Message *Message
	Receipt *Receipt // e.g. a bounce: tied to the outbound message it is about
	Change  *Change
}

// Message is a normalised inbound message.
type Message struct {
	// ID is unique in the inbox for ever; deduplicates. Usually the ProviderID;
	// for email the Message-ID with a hash of the content, so the same mail
	// seen twice is one message and two mails with one Message-ID are two.
	ID string

	From       Address
	To         []Address // addresses of ours it was sent to; the one it was written to first
	CC         []Address // others; shown, never recipients by themselves
	OccurredAt time.Time // the provider's time; zero means ReceivedAt

	Content Content

	// Assurance of From by this input: 0 claimed, 1 observed, 2 attested by the
	// channel, 3 proven (code, signed link, reply token returned by a verified sender),
	// 4 asserted by the host's login. Nothing below 2 proves anything.
	Assurance int
	Evidence  string // what says so: "dmarc=pass dkim=example.org", "jwt kid=1 sub=…"

	// References are ids of messages this one answers, newest first, in the
	// same namespace as Message.Refs and Receipt.ProviderID of the inbox's channel (email: Message-IDs).
	References []string
	// Refs are the ids under which others will refer to this message (email: its Message-ID).
	Refs []string
	// Answers is the id of the outbound message a valid token of ours proves
	// this one answers. AnswersFromSame: it was returned by the very address it was sent to;
	// that is a proof from Assurance 2 on, and below it no more than a reference.
	Answers         string
	AnswersFromSame bool

	// ClaimsHandle is another address this input proves to belong to the same
	// sender (a logged-in widget visitor's external id; a visitor who proved an e-mail address).
	// Where Assurance is below 2, or with the flag offline_capture (he typed it), it is only said: kept, and no proof.
	ClaimsHandle *Address

	// Flags: auto_reply, list, bounce, third_party, unverified, automatic, offline_capture,
	// name_is_address (the display name poses as another address), sender_differs (sent in
	// the name of From by another domain), mixed_script (the domain imitates another's letters),
	// forwarded, signed (not checked), encrypted (not read).
	// An input flagged auto_reply or bounce is stored and visible, never answered automatically.
	Flags []string
	// ClientID is the sender's own id of the message, returned by the transcript (chat).
	ClientID string

	// Consent is set where the message as a whole says STOP, START or the like by
	// the channel's rules. The message is kept and shown as well.
	Consent ConsentWish
	// Thread names what the channel shows messages under (a public post, a
	// forum topic); messages of one sender in two threads are two conversations.
	Thread string
}

// Content is what was said.
type Content struct {
	Subject     string       `json:"subject,omitempty"`
	Text        string       `json:"text,omitempty"` // without quoted history
	Quoted      string       `json:"quoted,omitempty"`
	HTML        string       `json:"html,omitempty"` // sanitised by the adapter's parser
	Attachments []Attachment `json:"attachments,omitempty"`
	// Unparsed says why the body could not be read; then only the original can be downloaded.
	Unparsed string `json:"unparsed,omitempty"`
	// Forwarded is whom the sender says this was first from. Shown; nobody's handle, never answered.
	Forwarded *Claim `json:"forwarded,omitempty"`
}

// Claim names somebody by the word of somebody else: level 0.
type Claim struct {
	Address string `json:"address,omitempty"`
	Name    string `json:"name,omitempty"`
}

// Attachment is a file: a part of the raw input, a blob, or something the provider keeps.
type Attachment struct {
	Name        string `json:"name,omitempty"` // cleaned: no path, no control characters
	ContentType string `json:"type,omitempty"`
	Size        int64  `json:"size,omitempty"`
	ContentID   string `json:"cid,omitempty"`
	Inline      bool   `json:"inline,omitempty"`
	// Part locates it inside the raw input (PartOpener); Blob is a key of the blob
	// store; Remote is what Fetcher needs to get it. One is set; the hub makes a Blob of a Remote
	// before the message is shown.
	Part   string `json:"part,omitempty"`
	Blob   string `json:"blob,omitempty"`
	Remote string `json:"remote,omitempty"`
	// Missing says why there is no file: the provider has it no more, it was too
	// large. Then none of the three is set.
	Missing string `json:"missing,omitempty"`
}
