package audit

import "fmt"

// Kinds of offences.
const (
	Altered   = "altered"   // it is not what its hash, its successor or the anchor says
	Removed   = "removed"   // entries are missing before one that is there
	Reordered = "reordered" // it is there, in another place
	Truncated = "truncated" // the chain ends before its anchor
)

// Offence is what is wrong with an entry.
type Offence struct {
	Kind  string
	Entry uint64 // number of the entry, from 1
	Until uint64 // of Removed and Truncated: the last that is missing; else Entry
	Seq   uint64 // of the message in the stream where it is seen; 0: at the end
	Why   string
}

func (o Offence) String() string {
	what := fmt.Sprintf("audit entry %d", o.Entry)
	if o.Until > o.Entry {
		what = fmt.Sprintf("audit entries %d to %d", o.Entry, o.Until)
	}
	where := "at the end of the stream"
	if o.Seq > 0 {
		where = fmt.Sprintf("seen at stream sequence %d", o.Seq)
	}
	return fmt.Sprintf("%s: %s, %s (%s)", what, o.Kind, where, o.Why)
}

// Report is what a verification found.
type Report struct {
	Entries uint64 // read
	Last    uint64 // number of the last one that is in order
	Hash    string // its hash: note both elsewhere, to compare later
	Anchor  uint64 // number at which the anchor stands; 0: there is none
	First   *Offence
}

// Verifier goes through a chain's messages in their order and keeps the first offence.
type Verifier struct {
	anchors []Anchor
	at      head
	seq     uint64 // of the message with the entry at
	read    uint64
	first   *Offence
}

// NewVerifier starts before the first entry. Each anchor must be met.
func NewVerifier(anchors ...Anchor) *Verifier { return &Verifier{anchors: anchors} }

func (v *Verifier) offend(kind string, from, until, seq uint64, why string) {
	v.first = &Offence{Kind: kind, Entry: from, Until: max(from, until), Seq: seq, Why: why}
}

// Add takes the next message.
func (v *Verifier) Add(seq uint64, data []byte) {
	entries, err := open(data)
	if err != nil && v.first == nil {
		v.offend(Altered, v.at.n+1, 0, seq, err.Error())
	}
	for _, e := range entries {
		v.read++
		if v.first != nil {
			v.found(seq, e)
			continue
		}
		v.entry(seq, e)
	}
}

// found: what seemed to be removed stands further on.
func (v *Verifier) found(seq uint64, e sealed) {
	if v.first.Kind == Removed && e.whole && e.N == v.first.Entry {
		v.offend(Reordered, e.N, 0, seq, "it stands behind later ones")
	}
}

func (v *Verifier) entry(seq uint64, e sealed) {
	next := v.at.n + 1
	switch {
	case !e.whole:
		v.offend(Altered, next, 0, seq, "its hash is another")
	case e.N > next:
		v.offend(Removed, next, e.N-1, seq, fmt.Sprintf("%d follows %d", e.N, v.at.n))
	case e.N < next:
		v.offend(Reordered, e.N, 0, seq, fmt.Sprintf("it stands behind %d", v.at.n))
	case e.Prev != v.at.prev() && v.at.n > 0:
		v.offend(Altered, v.at.n, 0, v.seq, "the one after it was written after another")
	case e.Prev != v.at.prev():
		v.offend(Altered, next, 0, seq, "it is the first and follows something")
	default:
		v.at, v.seq = head{e.N, e.hash}, seq
		for _, a := range v.anchors {
			if a.N == e.N && a.Hash != e.hash {
				v.offend(Altered, e.N, 0, seq, "the anchor holds another hash for it: it or one before it was written anew")
			}
		}
	}
}

// Report ends the verification.
func (v *Verifier) Report() Report {
	r := Report{Entries: v.read, Last: v.at.n, Hash: v.at.hash}
	for _, a := range v.anchors {
		r.Anchor = max(r.Anchor, a.N)
	}
	if v.first == nil && r.Anchor > v.at.n {
		v.offend(Truncated, v.at.n+1, r.Anchor, 0, fmt.Sprintf("the anchor stands at %d", r.Anchor))
	}
	r.First = v.first
	return r
}
