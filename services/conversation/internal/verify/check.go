package verify

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// checker folds the log as far as the laws need.
type checker struct {
	r        *Report
	commits  map[[16]byte]struct{} // hash of stream and commit id
	streams  map[string]*stream
	messages map[string]at
	owners   map[tenure]string // by handle streams
	attached map[string]attachment
	answers  []answer
}

// answer is a reply to a message that came with its handle: it is looked for
// when everything was read.
type answer struct {
	at
	partition      int
	reply, message string
}

type at struct {
	stream string
	seq    uint64
}

type tenure struct {
	handle string
	n      int64
}

// attachment is the tenure of a handle that is attached somewhere now.
type attachment struct {
	at
	partition int
	tenure    int64
}

// stream is what is known of one stream.
type stream struct {
	partition int
	last      uint64
	at        time.Time
	attached  map[string]int64 // of a customer: tenure by handle
	fence     map[string]int64 // of a customer: what was detached last, by handle
	erased    bool
	carried   map[string]bool   // conversations that go on with what others were told
	said      map[string]string // message or reply → conversation
	replies   map[string]string // delivery state
	empty     map[string]at     // conversations without a word, not opened by us
	// missing is what offends only if nothing was taken out of the stream: an
	// erasure or a retention later in it says that something was.
	missing []Offence
}

func newChecker(r *Report) *checker {
	return &checker{
		r: r, commits: map[[16]byte]struct{}{}, streams: map[string]*stream{}, messages: map[string]at{},
		owners: map[tenure]string{}, attached: map[string]attachment{},
	}
}

func (c *checker) commit(k readmodel.Commit) {
	c.r.Commits++
	c.r.Events += len(k.Events)
	name := k.Tenant + "/" + k.Stream
	s := c.streams[name]
	if s == nil {
		s = &stream{partition: k.Partition, attached: map[string]int64{}, fence: map[string]int64{}, carried: map[string]bool{}, said: map[string]string{}, replies: map[string]string{}, empty: map[string]at{}}
		c.streams[name] = s
		c.r.Streams++
		if strings.HasPrefix(k.Stream, "handle.") {
			c.r.Handles++
		}
	}
	offence := func(law, format string, args ...any) Offence {
		return Offence{Law: law, Stream: k.Stream, Partition: k.Partition, Seq: k.Seq, Detail: fmt.Sprintf(format, args...)}
	}
	offend := func(law, format string, args ...any) { c.r.offend(offence(law, format, args...)) }
	missing := func(law, format string, args ...any) { s.missing = append(s.missing, offence(law, format, args...)) }
	sum := sha256.Sum256([]byte(name + "\x00" + k.ID))
	id := [16]byte(sum[:16])
	if _, twice := c.commits[id]; twice {
		offend("once", "commit id %s is in its stream twice", k.ID)
	}
	c.commits[id] = struct{}{}
	if !s.at.IsZero() && !k.RecordedAt.After(s.at) {
		offend("order", "recorded_at does not grow")
	}
	if k.Prev != 0 && k.Prev != s.last {
		missing("order", "follows %d, but the stream was at %d", k.Prev, s.last)
	}
	s.last, s.at = k.Seq, k.RecordedAt
	for i, ev := range k.Events {
		if s.erased && !leaves(ev) {
			offend("erasure", "%T came after the customer was erased", ev)
		}
		c.event(s, k.Place(i), ev, offend, missing)
	}
}

// leaves says whether an event may follow an erasure: what went with a handle
// before it, and that it is done.
func leaves(ev event.Event) bool {
	switch v := ev.(type) {
	case event.HandleDetached, event.ErasureDone:
		return true
	case event.ConversationClosed:
		return v.Reason == "moved"
	}
	return false
}

// owns keeps who owns a tenure. It begins once.
func (c *checker) owns(t tenure, owner string, offend func(law, format string, args ...any)) {
	if o, twice := c.owners[t]; twice && o != owner {
		offend("ownership", "tenure %d of handle %s began for %s and for %s", t.n, t.handle, o, owner)
	}
	c.owners[t] = owner
}

func (c *checker) event(s *stream, p readmodel.Place, ev event.Event, offend, missing func(law, format string, args ...any)) {
	here := at{"customer." + p.Customer, p.Seq}
	switch v := ev.(type) {
	case event.HandleClaimed:
		c.owns(tenure{p.Handle, v.Tenure}, v.Customer, offend)
	case event.HandleMoved:
		c.owns(tenure{p.Handle, v.Tenure}, v.To, offend)
	case event.HandleReleased:
		if v.EraseID != "" {
			s.missing = nil
		}
	case event.CustomerErased:
		s.erased = true
		clear(s.attached)
	case event.ErasureDone:
		s.erased = true
		clear(s.attached)
		clear(s.empty)
		s.missing = nil
	case event.ConversationRetired:
		// Notes were taken out; what the others say of one another stays.
		s.missing = slices.DeleteFunc(s.missing, func(o Offence) bool { return o.Law == "order" })
	case event.CustomerCreated:
		c.r.Customers++
	case event.HandleAttached:
		if v.Tenure <= s.fence[v.Handle] {
			offend("ownership", "tenure %d of handle %s is attached after it had ended here", v.Tenure, v.Handle)
		}
		s.attached[v.Handle] = v.Tenure
		if o, ok := c.attached[v.Handle]; ok && o.stream != here.stream && o.tenure == v.Tenure {
			offend("ownership", "tenure %d of handle %s is attached to %s too", v.Tenure, v.Handle, o.stream)
		}
		if o := c.attached[v.Handle]; o.tenure <= v.Tenure {
			c.attached[v.Handle] = attachment{here, p.Partition, v.Tenure}
		}
	case event.HandleDetached:
		s.fence[v.Handle] = max(s.fence[v.Handle], v.Tenure)
		if s.attached[v.Handle] <= v.Tenure {
			delete(s.attached, v.Handle)
		}
	case event.ConversationOpened:
		c.r.Conversations++
		if !v.Outbound && len(v.Carried) == 0 {
			s.empty[v.Conversation] = here
		}
		s.carried[v.Conversation] = len(v.Carried) > 0
	case event.ConversationCarried:
		s.carried[v.Conversation] = true
	case event.MessageChanged:
		if o, twice := c.messages[v.Change]; twice {
			offend("once", "change %s is in %s at %d too", v.Change, o.stream, o.seq)
		}
		c.messages[v.Change] = here
		if s.attached[v.Handle] != v.Tenure {
			missing("ownership", "change %s came on tenure %d of handle %s, which is not attached here", v.Change, v.Tenure, v.Handle)
		}
	case event.MessageReceived:
		c.r.Messages++
		delete(s.empty, v.Conversation)
		s.said[v.Message] = v.Conversation
		if o, twice := c.messages[v.Message]; twice {
			offend("once", "message %s is in %s at %d too", v.Message, o.stream, o.seq)
		}
		c.messages[v.Message] = here
		if s.attached[v.Handle] != v.Tenure {
			missing("ownership", "message %s came on tenure %d of handle %s, which is not attached here", v.Message, v.Tenure, v.Handle)
		}
	case event.ReplyRequested:
		c.r.Replies++
		delete(s.empty, v.Conversation)
		switch {
		case v.Answers == "" || s.said[v.Answers] != "":
		case s.carried[v.Conversation]:
			c.answers = append(c.answers, answer{here, p.Partition, v.Reply, v.Answers})
		default:
			missing("reply", "reply %s answers %s, which does not come before it", v.Reply, v.Answers)
		}
		if s.attached[v.Handle] != v.Tenure {
			missing("reply", "reply %s goes to tenure %d of handle %s, which is not attached here", v.Reply, v.Tenure, v.Handle)
		}
		s.said[v.Reply], s.replies[v.Reply] = v.Conversation, customer.Queued
	case event.MessagesMoved:
		for _, id := range v.Messages {
			s.said[id] = v.To
		}
		if len(v.Messages) > 0 {
			delete(s.empty, v.To)
		}
	case event.ReplyRetried:
		s.replies[v.Reply] = customer.Queued
	case event.ReplyProgressed:
		from, known := s.replies[v.Reply]
		if !known {
			missing("delivery", "reply %s is not in this stream", v.Reply)
		} else if !customer.Forward(from, v.State, true) {
			offend("delivery", "reply %s went from %s to %s", v.Reply, from, v.State)
		}
		s.replies[v.Reply] = v.State
	}
}

// finish checks what only the whole log can show.
func (c *checker) finish(ctx context.Context, d Deps) error {
	for _, name := range sortedKeys(c.streams) {
		for _, o := range c.streams[name].missing {
			c.r.offend(o)
		}
	}
	living := map[string]string{} // handle → stream it is attached in
	for _, a := range c.answers {
		if _, ok := c.messages[a.message]; !ok {
			c.r.offend(Offence{Law: "reply", Stream: a.stream, Partition: a.partition, Seq: a.seq, Detail: fmt.Sprintf("reply %s answers %s, which nobody has", a.reply, a.message)})
		}
	}
	for _, name := range sortedKeys(c.streams) {
		s := c.streams[name]
		if s.erased { // the fence of his handles
			continue
		}
		tenant, stream, _ := strings.Cut(name, "/")
		for _, h := range sortedKeys(s.attached) {
			other, twice := living[h]
			if twice {
				var err error
				if twice, err = c.stillAttached(ctx, d, tenant, other, h); err != nil {
					return err
				}
			}
			if twice {
				c.r.offend(Offence{Law: "ownership", Stream: stream, Partition: s.partition, Seq: s.last, Detail: "handle " + h + " is attached to " + other + " too"})
			}
			living[h] = stream
			owner, err := c.owner(ctx, d, tenant, tenure{h, s.attached[h]})
			if err != nil {
				return err
			}
			if "customer."+owner != stream {
				c.r.offend(Offence{Law: "ownership", Stream: stream, Partition: s.partition, Seq: s.last, Detail: fmt.Sprintf("tenure %d of handle %s belongs to %q", s.attached[h], h, owner)})
			}
		}
		for _, conv := range sortedKeys(s.empty) {
			c.r.offend(Offence{Law: "ghost", Stream: stream, Partition: s.partition, Seq: s.empty[conv].seq, Detail: "conversation " + conv + " holds nothing"})
		}
	}
	return nil
}

// stillAttached looks at what was appended to a stream after its partition was
// read: beside a running hub a move can have ended there meanwhile.
func (c *checker) stillAttached(ctx context.Context, d Deps, tenant, name, handle string) (bool, error) {
	s := c.streams[tenant+"/"+name]
	for k, err := range d.Events.Load(ctx, tenant, name, s.last) {
		if err != nil {
			return false, fmt.Errorf("load customer: %w", err)
		}
		decoded, err := d.Decode.Decode(k)
		if err != nil {
			return false, err
		}
		for _, ev := range decoded.Events {
			if v, ok := ev.(event.HandleDetached); ok && v.Handle == handle && v.Tenure >= s.attached[handle] {
				return false, nil
			}
		}
	}
	return true, nil
}

// owner of a tenure. The handle's partition was read at another moment, so what
// is missing is looked for again.
func (c *checker) owner(ctx context.Context, d Deps, tenant string, t tenure) (string, error) {
	if o, ok := c.owners[t]; ok {
		return o, nil
	}
	for k, err := range d.Events.Load(ctx, tenant, "handle."+t.handle, 0) {
		if err != nil {
			return "", fmt.Errorf("load handle: %w", err)
		}
		decoded, err := d.Decode.Decode(k)
		if err != nil {
			return "", err
		}
		for _, ev := range decoded.Events {
			switch v := ev.(type) {
			case event.HandleClaimed:
				c.owners[tenure{t.handle, v.Tenure}] = v.Customer
			case event.HandleMoved:
				c.owners[tenure{t.handle, v.Tenure}] = v.To
			}
		}
	}
	return c.owners[t], nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
