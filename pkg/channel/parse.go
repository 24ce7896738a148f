package channel

import (
	"context"
	"io"
)

// Parser turns stored input into items. It must not do I/O or panic; it may be
// called again years later, and the same input gives the same items.
type Parser interface {
	// Parse returns at least one item. On an error the caller stores an
	// Unparsed message, so nothing accepted is lost.
	Parse(raw Raw) ([]Item, error)
}

// PartOpener finds an attachment inside a raw input again.
type PartOpener interface {
	OpenPart(raw Raw, part string) (data []byte, contentType string, err error)
}

// Identifier names inputs whose ProviderID does not last: a provider that
// counts anew gives the same input under another one. Ask it where Message.ID
// is not known, which is where Parse fails.
type Identifier interface {
	// Identify returns the same for the same input for ever, and for other inputs
	// of the inbox something else. It needs less of the input than Parse, does no
	// I/O, and finds something in any bytes.
	Identify(raw Raw) string
}

// Fetcher gets attachments that the provider keeps behind a login or for a
// while only. The hub asks once the input is safe, keeps what comes in its own store
// within its limits, and tells the type by the content.
type Fetcher interface {
	// Fetch opens a.Remote. ErrGone: it never will be there again; the message is
	// stored with the reason. ErrNeedsAttention and other errors are tried again.
	// It connects to public addresses only (services/internal/safedial) unless the
	// inbox's own server stands elsewhere by its settings.
	Fetch(ctx context.Context, inbox string, a Attachment) (io.ReadCloser, error)
}
