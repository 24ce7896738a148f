package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Methods, which are the kinds of the evidence too.
const (
	MethodCode = "code"
	MethodLink = "link"
)

// State of a challenge.
type State string

// The states. All but Open and Proven are its end.
const (
	Open    State = "open"
	Proven  State = "proven"  // what follows from it is being written
	Passed  State = "passed"  // it is written
	Failed  State = "failed"  // too many tries
	Expired State = "expired" // too late
	Void    State = "void"    // a newer one took its place, the address moved, or nothing could be delivered
)

// A challenge is good for so long, and for so many tries.
const (
	lifeCode = 10 * time.Minute
	lifeLink = 30 * time.Minute
	maxTries = 5
	// keep is how long an ended one is remembered, for whoever asks how it went.
	keep = 25 * time.Hour
)

// challenge is stored: names stay.
type challenge struct {
	Tenant   string       `json:"tenant"`
	Customer string       `json:"customer"` // who says that the address is his
	Handle   string       `json:"handle"`   // the address'
	Tenure   int64        `json:"tenure"`   // its last one at the start
	Kind     string       `json:"kind"`
	Address  crypt.Sealed `json:"address"` // JSON of event.Address
	// Via is the handle the code is asked for and given over, where that is known
	// (a chat's visitor), and its tenure then.
	Via       string `json:"via,omitempty"`
	ViaTenure int64  `json:"via_tenure,omitempty"`

	Method  string `json:"method"`
	Hash    string `json:"hash,omitempty"` // of what must come back; "" when it no longer can
	Inbox   string `json:"inbox"`
	Channel string `json:"channel"`
	Actor   string `json:"actor"`
	Trace   string `json:"trace,omitempty"`

	Created  int64  `json:"created"` // Unix µs
	Expires  int64  `json:"expires"`
	Tries    int    `json:"tries"` // left
	Attempt  int    `json:"attempt"`
	Sent     bool   `json:"sent"`           // handed to the outbox
	Mute     bool   `json:"mute,omitempty"` // nothing goes out: the address wants nothing, which is not for who asked to know
	State    State  `json:"state"`
	Delivery string `json:"delivery,omitempty"` // what the channel said last

	// Of a passed one.
	Owner   string `json:"owner,omitempty"`
	Link    string `json:"link,omitempty"`
	Refused string `json:"refused,omitempty"`

	Keyed bool `json:"keyed"` // the key may exist

	id  string
	rev uint64
}

const (
	byKeyed = "keyed"
	byState = "state"
)

var challenges = docstore.Collection{Name: "proof_challenges", Indexes: []docstore.Index{
	{Name: byKeyed, Prefix: []string{"keyed"}, Sort: "expires"},
	{Name: byState, Prefix: []string{"state"}},
}}

// Key names the data key of a challenge.
func Key(id string) string { return "proof/" + id }

func addressAAD(id string) []byte { return []byte("proof/" + id + "/address") }

func micro(t time.Time) int64 { return t.UnixMicro() }

// find returns ErrNotFound of the store when there is none.
func (s *Service) find(ctx context.Context, id string) (challenge, error) {
	d, err := s.State.Get(ctx, challenges.Name, id)
	if err != nil {
		return challenge{}, fmt.Errorf("read proof: %w", err)
	}
	return read(d)
}

func read(d docstore.Doc) (challenge, error) {
	c := challenge{id: d.ID, rev: d.Seq}
	if err := json.Unmarshal(d.JSON, &c); err != nil {
		return c, fmt.Errorf("read proof: %w", err)
	}
	return c, nil
}

// change lets fn change a challenge, again when another did so meanwhile; false
// leaves it. It returns what is stored then.
func (s *Service) change(ctx context.Context, id string, fn func(*challenge) bool) (c challenge, changed bool, err error) {
	for {
		if c, err = s.find(ctx, id); err != nil {
			return c, false, err
		}
		if !fn(&c) {
			return c, false, nil
		}
		op, err := c.op()
		if err != nil {
			return c, false, err
		}
		err = s.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}})
		if errors.Is(err, docstore.ErrStale) {
			continue
		}
		if err != nil {
			return c, false, fmt.Errorf("write proof: %w", err)
		}
		c.rev++
		return c, true, nil
	}
}

// op writes a challenge over the one that was read, or creates it.
func (c challenge) op() (docstore.Op, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return docstore.Op{}, fmt.Errorf("encode proof: %w", err)
	}
	return docstore.Op{
		Collection: challenges.Name, Create: c.rev == 0, IfRev: c.rev,
		Doc: docstore.Doc{ID: c.id, Seq: c.rev + 1, JSON: b},
	}, nil
}

// address opens it; crypt.ErrShredded when the challenge has ended.
func (s *Service) address(ctx context.Context, c challenge) (event.Address, error) {
	return seal.Open[event.Address](ctx, s.Keys, c.Address, addressAAD(c.id))
}

// end brings an open challenge to an end and destroys its key.
func (s *Service) end(ctx context.Context, id string, to State) (challenge, error) {
	c, changed, err := s.change(ctx, id, func(c *challenge) bool {
		if c.State != Open {
			return false
		}
		c.State, c.Hash = to, ""
		return true
	})
	if err != nil || !changed {
		return c, err
	}
	return c, s.shred(ctx, c)
}

// shred destroys the key of a challenge that has ended. What is interrupted
// here Sweep does later.
func (s *Service) shred(ctx context.Context, c challenge) error {
	if err := s.Keys.Destroy(ctx, Key(c.id)); err != nil {
		return fmt.Errorf("destroy the key of a proof: %w", err)
	}
	_, _, err := s.change(ctx, c.id, func(c *challenge) bool {
		was := c.Keyed
		c.Keyed = false
		return was
	})
	return err
}
