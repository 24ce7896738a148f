package channel

import "time"

// Capabilities say what the channel can carry. The hub keeps to them: the
// composer offers nothing else, and what is sent past the composer (by API) is
// refused with the field and the limit.
type Capabilities struct {
	// TextLimit is the most one message may hold, counted in TextUnit; 0: unlimited.
	TextLimit int
	TextUnit  TextUnit
	// Parts is the most messages a longer text is sent as; 0 and 1: it is refused. See Split.
	Parts int
	HTML  bool

	// Attachments can be sent, each at most AttachmentLimit bytes (0: the hub's own limit),
	// AttachmentsPerMessage of them (0: any number), of the types listed as
	// "image/png" or "image/*" (none: any type).
	Attachments           bool
	AttachmentLimit       int64
	AttachmentsPerMessage int
	AttachmentTypes       []string

	// ReplyWindow is how long after the customer's last message he may be written
	// to freely; 0: always. After it only a Template goes out where Templates is set, and nothing where it is not.
	ReplyWindow time.Duration
	Templates   bool

	Typing         bool          // the adapter is a Typist
	TypingLasts    time.Duration // how long the provider shows it; 0: 5 s
	Reactions      bool          // Changes of this kind arrive
	Edits          bool
	Deletes        bool
	Delivered      bool // receipts that say delivered arrive
	ReadReceipts   bool
	Threads        bool
	IdempotentSend bool // sending the same Outbound.ID twice delivers once
	Undo           time.Duration
}

// Varied is an adapter whose inboxes carry different things, as by their provider.
type Varied interface {
	// CapabilitiesOf are those of an inbox; of one that is not there those of the
	// channel. It asks nobody, and may be called often.
	CapabilitiesOf(inbox string) Capabilities
}

// TextUnit is what a channel counts its texts in.
type TextUnit string

// The units.
const (
	Characters TextUnit = ""       // Unicode code points
	UTF16Units TextUnit = "utf-16" // what JavaScript, Java and Telegram count; an emoji is two or more
	Bytes      TextUnit = "bytes"  // of UTF-8
)
