package replay

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/conversation/internal/claim"
)

// plan is what a file holds, without its bodies: those are read again when they are written.
type plan struct {
	header  history.Header
	people  map[string]*person
	order   []*person // of the file
	talks   map[string]*talk
	byOrder []*talk
	items   []item
	links   []link
	ends    map[string]*end // addresses, by handle id
}

// place is where a line is.
type place struct {
	off  int64
	n    int
	line int
}

// person is a customer of the file.
type person struct {
	rec     *history.Customer
	line    int
	ends    []*end
	waiting []waiting
	derived string // the id he has when nobody here is him
	target  string // whose stream his history goes to
	fresh   bool   // target is derived, and has no stream yet
	first   time.Time
	cutOff  time.Time // somebody with an address of his was erased then
	items   int       // that are not cut off
}

// end is an address.
type end struct {
	id   string
	addr channel.Address
	// level is the highest a record gives it.
	level int
	of    *person // who names it first
	own   claim.Owned
}

// talk is a conversation of the file.
type talk struct {
	rec  *history.Conversation
	line int
	id   string
	of   *person
	home string // whose stream it is stored in
	from time.Time
	last time.Time // of its items at home
}

// kinds of items, in the order in which those of one moment are written.
const (
	kindBring = iota
	kindMessage
	kindReply
	kindNote
	kindEvent
	kindStanding
)

// item is something with a time.
type item struct {
	place
	kind int
	at   time.Time
	id   string // entry id
	talk *talk
	who  *person
	end  *end // of messages
	// same: its id is its channel's, so that it may be here, whoever's.
	same bool
}

type link struct {
	line   int
	origin string
	a, b   *person
	at     time.Time
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// oldest makes an id of a hash that sorts before every id given here, as the
// ids of customers sort by age: an imported customer is the oldest of his person.
func oldest(hash string) string {
	var id ulid.ULID // of the time 0
	b, err := hex.DecodeString(hash)
	if err != nil || len(b) < len(id)-6 {
		return hash // never: a hash is 32 hex digits
	}
	copy(id[6:], b)
	return strings.ToLower(id.String())
}
