package email

import (
	"errors"
	"fmt"
)

// Limits on one mail. They are checked while the structure is scanned, before
// anything is decoded, so a mail built to exhaust the hub costs one pass over its bytes.
const (
	MaxSize      = 50 << 20  // bytes of the whole mail
	MaxHeader    = 256 << 10 // bytes of the headers of the mail, and of each part
	MaxParts     = 1000      // leaves and containers together
	MaxDepth     = 32        // multiparts inside one another
	MaxAddresses = 500       // in From, Sender, Reply-To, To and Cc together

	maxReferences = 50       // newest kept
	maxMessageID  = 500      // bytes; longer ids are not ids
	maxBody       = 1 << 20  // bytes of text shown; the whole stays an attachment
	maxHTML       = 2 << 20  // bytes of HTML shown; the whole stays an attachment
	maxSubject    = 2000     // bytes shown
	maxFileName   = 200      // bytes shown
	maxParam      = 16 << 10 // bytes of a Content-* header that are read
	maxParams     = 100      // parameters of it that are read
)

// LimitError: a mail is beyond a limit. It is kept as it came and shown unparsed.
type LimitError struct {
	What  string // "size", "header", "parts", "depth", "addresses"
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("mail is over the limit of %d for %s", e.Limit, e.What)
}

// Errors of the limits, for errors.Is.
var (
	ErrSize      = &LimitError{"size", MaxSize}
	ErrHeader    = &LimitError{"header", MaxHeader}
	ErrParts     = &LimitError{"parts", MaxParts}
	ErrDepth     = &LimitError{"depth", MaxDepth}
	ErrAddresses = &LimitError{"addresses", MaxAddresses}
)

// ErrEmpty: there is nothing in the mail, not even a header.
var ErrEmpty = errors.New("mail is empty")

// ErrNoPart: a mail has no such part.
var ErrNoPart = errors.New("mail has no such part")
