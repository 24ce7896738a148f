package smpp

import (
	"strings"
	"time"
)

// Receipt is what a deliver_sm says about a message of ours: in parameters
// (section 5.3.2.26), in a text that the specification gives as an example
// (appendix B) and everybody writes a little otherwise, or in both.
type Receipt struct {
	ID    string
	State State
	Error string // the network's code, as written
	Done  time.Time
}

// State is a message_state (section 5.2.28).
type State byte

// The states. Zero: it does not say.
const (
	Enroute State = iota + 1
	Delivered
	Expired
	Deleted
	Undeliverable
	Accepted
	Unknown
	Rejected
)

func (s State) String() string {
	return map[State]string{
		Enroute: "on its way", Delivered: "delivered", Expired: "expired", Deleted: "deleted",
		Undeliverable: "cannot be delivered", Accepted: "accepted", Unknown: "unknown", Rejected: "rejected",
	}[s]
}

var stateWords = map[string]State{
	"ENROUTE": Enroute, "DELIVRD": Delivered, "DELIVERED": Delivered, "EXPIRED": Expired, "DELETED": Deleted,
	"UNDELIV": Undeliverable, "UNDELIVERABLE": Undeliverable, "ACCEPTD": Accepted, "ACCEPTED": Accepted, "UNKNOWN": Unknown, "REJECTD": Rejected, "REJECTED": Rejected,
}

// ReadReceipt reads one. Parameters win over the text. Without an id it is none.
func ReadReceipt(m Message) (r Receipt, ok bool) {
	text := fields(string(m.Payload()))
	r = Receipt{ID: text["id"], State: stateWords[strings.ToUpper(text["stat"])], Error: text["err"], Done: clock(text["done date"])}
	if v, there := m.Find(TagReceiptedID); there {
		if s := strings.TrimRight(string(v), "\x00"); s != "" {
			r.ID = s
		}
	}
	if v, there := m.Find(TagMessageState); there && len(v) == 1 && State(v[0]).String() != "" {
		r.State = State(v[0])
	}
	return r, r.ID != ""
}

// fields reads "id:1 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000
// stat:DELIVRD err:000 text:…". Text is the last and may hold anything; it is not looked at.
func fields(s string) map[string]string {
	out := map[string]string{}
	for _, key := range []string{"id", "sub", "dlvrd", "submit date", "done date", "stat", "err"} {
		head, _, _ := cutFold(s, " text:")
		i := indexKey(head, key)
		if i < 0 {
			continue
		}
		value, _, _ := strings.Cut(head[i:], " ")
		out[key] = strings.TrimSpace(value)
	}
	return out
}

func cutFold(s, sep string) (before, after string, found bool) {
	if i := strings.Index(strings.ToLower(s), sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// indexKey is where the value of a key begins; the key is at the beginning or
// behind a space. -1: it is not there.
func indexKey(s, key string) int {
	low := strings.ToLower(s)
	if strings.HasPrefix(low, key+":") {
		return len(key) + 1
	}
	if i := strings.Index(low, " "+key+":"); i >= 0 {
		return i + len(key) + 2
	}
	return -1
}

// clock reads YYMMDDhhmm, with seconds in some places. No zone is said; it is taken for UTC.
func clock(s string) time.Time {
	for _, layout := range []string{"0601021504", "060102150405"} {
		if at, err := time.Parse(layout, s); err == nil && len(s) == len(layout) {
			return at
		}
	}
	return time.Time{}
}
