package law_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// next draws what happens now. Nil: nothing.
func (w *world) next() *intent {
	switch w.draw.Draw("what", 16) {
	case 0, 1, 2, 3:
		prefix := ""
		if w.badly != nil {
			prefix = []string{"", "", "poison:\n", "panic:\n"}[w.draw.Draw("bad", 4)]
		}
		in := w.newInput(prefix)
		w.inputs = append(w.inputs, in)
		if prefix != "" {
			w.badly(in)
		}
		return ptr(w.deliver(in))
	case 4, 5:
		if len(w.inputs) > 0 {
			return ptr(w.deliver(w.inputs[w.draw.Draw("again", len(w.inputs))]))
		}
	case 6:
		return w.ordered(w.receipt())
	case 7:
		if len(w.commands) > 0 {
			return &w.commands[w.draw.Draw("order again", len(w.commands))]
		}
	case 8, 9:
		return w.ordered(w.move())
	case 10:
		return w.erase()
	case 11, 12:
		return w.ordered(w.reply())
	default:
		return w.ordered(w.order())
	}
	return nil
}

// ordered keeps an order: all of them come again.
func (w *world) ordered(it *intent) *intent {
	if it != nil {
		w.commands = append(w.commands, *it)
	}
	return it
}

func ptr[T any](v T) *T { return &v }

// senders are eleven handles of four channels. With the logins they prove there
// are thirteen. The first ones write most, so that their histories are dense.
var senders = []channel.Address{
	{Kind: "email", Address: "ada@x.org"},
	{Kind: "email", Address: "bob@x.org"},
	{Kind: "chat", Scope: "widget", Address: "v1"},
	{Kind: "chat", Scope: "widget", Address: "v2"},
	{Kind: "phone", Address: "+4912345"},
	{Kind: "social", Scope: "widget", Address: "s1"},
	{Kind: "email", Address: "cy@x.org"},
	{Kind: "email", Address: "dee@x.org"},
	{Kind: "chat", Scope: "widget", Address: "v3"},
	{Kind: "phone", Address: "+4967890"},
	{Kind: "social", Scope: "widget", Address: "s2"},
}

func (w *world) sender() channel.Address {
	n := 2
	if w.draw.Draw("many", 3) == 0 {
		n = len(senders)
	}
	return senders[w.draw.Draw("from", n)]
}

func channelOf(kind string) string {
	if kind == "phone" {
		return "sms"
	}
	return kind
}

// newInput draws a message, or two in one input.
func (w *world) newInput(prefix string) input {
	n := len(w.inputs)
	from := w.sender()
	var items []channel.Item
	for i := range 1 + w.draw.Draw("album", 2) {
		if n > 0 && w.draw.Draw("changes", 6) == 0 {
			items = append(items, channel.Item{Change: w.newChange(n, i, from)})
			continue
		}
		m := channel.Message{
			ID: fmt.Sprintf("m%d-%d", n, i), From: from, Assurance: 1,
			OccurredAt: w.clock.Add(-time.Duration(w.draw.Draw("late", 60)) * time.Second),
			Content:    channel.Content{Text: "hello", Subject: "s"}, Refs: []string{fmt.Sprintf("ref%d-%d", n, i)},
		}
		if n > 0 && w.draw.Draw("refers", 3) == 0 {
			m.References = []string{fmt.Sprintf("ref%d-0", w.draw.Draw("to", n))}
		}
		if from.Kind == "chat" && w.draw.Draw("login", 3) == 0 {
			m.Assurance = 4
			m.ClaimsHandle = &channel.Address{Kind: "external", Scope: "widget", Address: fmt.Sprintf("sub%d", w.draw.Draw("sub", 2))}
		}
		if from.Kind == "email" && w.draw.Draw("says", 4) == 0 {
			m.ClaimsHandle = &channel.Address{Kind: "phone", Address: "+4912345"}
		}
		if r := w.anyReply(); r != nil && w.draw.Draw("token", 3) == 0 {
			m.Answers, m.AnswersFromSame = r.Reply, w.draw.Draw("same", 2) == 0
			if m.AnswersFromSame && w.draw.Draw("verified", 4) > 0 {
				m.Assurance = max(m.Assurance, 3)
			}
		}
		items = append(items, channel.Item{Message: &m})
	}
	in := w.input(fmt.Sprintf("p%d", n), from, prefix, items)
	if prefix != "" && w.draw.Draw("no peek", 2) == 0 {
		in.raw.Peek = channel.Address{}
	}
	return in
}

// newChange draws what somebody does to a message: his own or another's, one that
// came, comes beside it or comes later.
func (w *world) newChange(n, i int, from channel.Address) *channel.Change {
	actions := []channel.Action{channel.Edited, channel.Deleted, channel.Reacted, channel.Unreacted}
	c := &channel.Change{
		ID: fmt.Sprintf("c%d-%d", n, i), From: from, Target: fmt.Sprintf("ref%d-0", w.draw.Draw("changed", n+2)),
		Action: actions[w.draw.Draw("action", len(actions))], Assurance: 1,
		OccurredAt: w.clock.Add(-time.Duration(w.draw.Draw("late", 60)) * time.Second),
	}
	switch c.Action {
	case channel.Edited:
		c.Content = channel.Content{Text: "hallo"}
	case channel.Reacted, channel.Unreacted:
		c.Emoji = "👍"
	}
	return c
}

// input is what the intake would give of some items.
func (w *world) input(id string, from channel.Address, prefix string, items []channel.Item) input {
	body, err := json.Marshal(items)
	if err != nil {
		w.t.Fatal(err)
	}
	raw := channel.Raw{
		Tenant: "default", Channel: channelOf(from.Kind), Inbox: "widget", ProviderID: id,
		Peek: from, ReceivedAt: w.clock, ContentType: "application/json", Body: append([]byte(prefix), body...),
	}
	in := input{raw: raw}
	h := &ingest.Handler{Deps: ingest.Deps{Keys: w.keys}}
	for _, item := range items {
		m := item.Message
		if c := item.Change; c != nil {
			m = &channel.Message{ID: "change\x00" + c.ID} // see ingest
		}
		in.ids = append(in.ids, h.MessageID(raw, *m))
	}
	return in
}

func (w *world) deliver(in input) intent {
	return intent{name: "input " + in.raw.ProviderID, run: func(ctx context.Context, p *process) error {
		return p.ingest.Handle(ctx, ingest.Input{Raw: &in.raw, Ref: "in/" + in.raw.ProviderID})
	}}
}

func (w *world) receipt() *intent {
	r := w.anyReply()
	if r == nil {
		return nil
	}
	states := []channel.State{
		channel.StateRetrying, channel.StateUnknown, channel.StateSent, channel.StateDelivered, channel.StateRead, channel.StateFailed,
	}
	rec := channel.Receipt{
		Tenant: "default", Channel: r.Channel, Inbox: r.Inbox, Outbound: r.Reply, Customer: w.ownerOf(r.Conversation),
		State: states[w.draw.Draw("state", len(states))], ProviderID: "out-" + r.Reply, Detail: "d", At: w.clock,
	}
	if w.draw.Draw("anonymous", 3) == 0 {
		rec.Customer = ""
	}
	it := &intent{name: "receipt " + string(rec.State), run: func(ctx context.Context, p *process) error {
		return p.ingest.Handle(ctx, ingest.Input{Receipt: &rec, Ref: "in/r"})
	}}
	if w.draw.Draw("names its attempt", 2) == 0 {
		rec.Attempt = 1 + len(w.retried(r.Reply))
	} else {
		it.guessed = func() bool {
			return slices.ContainsFunc(w.retried(r.Reply), func(at time.Time) bool { return !rec.At.Before(at.Truncate(time.Microsecond)) })
		}
	}
	return it
}

// order draws a command about any conversation, with a key of its own.
func (w *world) order() *intent {
	conv := w.anyConversation()
	if conv == "" {
		return nil
	}
	o := command.Order{Tenant: "default", Actor: "ag", Key: fmt.Sprintf("k%d", len(w.commands)), Conversation: conv}
	if w.draw.Draw("knows customer", 2) == 0 {
		o.Customer = w.ownerOf(conv)
	}
	until := w.clock.Add(time.Hour)
	do := func(name string, run func(context.Context, *command.Service) (command.Result, error)) *intent {
		return do(name+" "+o.Key, run)
	}
	kind := w.draw.Draw("order", 7)
	if w.entriesOnly && kind > 0 && kind < 6 {
		kind = 0
	}
	switch kind {
	case 0:
		return do("note", func(ctx context.Context, s *command.Service) (command.Result, error) { return s.AddNote(ctx, o, "n") })
	case 1:
		return do("close", func(ctx context.Context, s *command.Service) (command.Result, error) {
			return s.SetStatus(ctx, o, customer.Closed, time.Time{})
		})
	case 2:
		owner := w.ownerOf(conv)
		return do("snooze", func(ctx context.Context, s *command.Service) (command.Result, error) {
			r, err := s.SetStatus(ctx, o, customer.Snoozed, until)
			if err != nil {
				return r, err
			}
			return r, s.Wake(ctx, "default", owner, conv, until)
		})
	case 3:
		return do("assign", func(ctx context.Context, s *command.Service) (command.Result, error) { return s.Assign(ctx, o, "ag2") })
	case 4:
		return do("tag", func(ctx context.Context, s *command.Service) (command.Result, error) { return s.AddTag(ctx, o, "x") })
	case 5:
		if r := w.anyReply(); r != nil {
			o.Conversation = r.Conversation
			o.Customer = w.ownerOf(r.Conversation)
			return do("retry", func(ctx context.Context, s *command.Service) (command.Result, error) {
				return s.RetryReply(ctx, o, r.Reply)
			})
		}
		return nil
	case 6:
		a := senders[w.draw.Draw("to whom", 2)] // addresses we may write to first
		return do("start", func(ctx context.Context, s *command.Service) (command.Result, error) {
			return s.StartConversation(ctx, command.StartConversation{
				Order: o, Kind: a.Kind, Address: a.Address, Inbox: "widget", Subject: "s", Text: "t",
			})
		})
	}
	return nil
}

// reply draws an answer to any conversation: to the latest message, or to one
// that is named, which may have come with its handle from somebody else.
func (w *world) reply() *intent {
	conv := w.anyConversation()
	if conv == "" {
		return nil
	}
	in := command.SendReply{Order: command.Order{
		Tenant: "default", Actor: "ag", Key: fmt.Sprintf("k%d", len(w.commands)), Conversation: conv, Customer: w.ownerOf(conv),
	}, Text: "t", Close: w.draw.Draw("and close", 3) == 0}
	if ms := eventsOf[event.MessageReceived](w); len(ms) > 0 && w.draw.Draw("names it", 3) == 0 {
		in.Answers = ms[w.draw.Draw("which", len(ms))].Message
	}
	return do("reply "+in.Key, func(ctx context.Context, s *command.Service) (command.Result, error) { return s.SendReply(ctx, in) })
}

func do(name string, run func(context.Context, *command.Service) (command.Result, error)) *intent {
	changed := false
	return &intent{name, func(ctx context.Context, p *process) error {
		r, err := run(ctx, p.orders)
		changed = changed || r.Commit.Seq > 0
		return err
	}, &changed, nil}
}

// all yields every event stored so far, partition by partition.
func (w *world) all() (out []stored) {
	for p := range w.store.Partitions() {
		from := uint64(1)
		if n := len(w.read[p]); n > 0 {
			from = w.read[p][n-1].Seq + 1
		}
		commits, err := w.store.Read(context.Background(), p, from, 1<<20)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range commits {
			events, err := codec.Commit(c)
			if err != nil {
				w.t.Fatal(err)
			}
			w.read[p] = append(w.read[p], stored{events, p})
		}
		out = append(out, w.read[p]...)
	}
	return out
}

type stored struct {
	event.Commit
	partition int
}

// of is the id of its stream, "" when it is of another kind.
func (s stored) of(kind string) string {
	id, ok := strings.CutPrefix(s.Stream, kind+".")
	if !ok {
		return ""
	}
	return id
}

func eventsOf[E event.Event](w *world) (out []E) {
	for _, c := range w.all() {
		for _, e := range c.Events {
			if e, ok := e.(E); ok {
				out = append(out, e)
			}
		}
	}
	return out
}

func (w *world) anyReply() *event.ReplyRequested {
	rs := eventsOf[event.ReplyRequested](w)
	if len(rs) == 0 {
		return nil
	}
	return &rs[w.draw.Draw("reply", len(rs))]
}

// retried says when a reply was sent again, by the clocks of those who did it.
func (w *world) retried(reply string) (all []time.Time) {
	for _, c := range w.all() {
		for _, e := range c.Events {
			if e, ok := e.(event.ReplyRetried); ok && e.Reply == reply {
				all = append(all, c.At)
			}
		}
	}
	return all
}

func (w *world) anyConversation() string {
	cs := eventsOf[event.ConversationOpened](w)
	if len(cs) == 0 {
		return ""
	}
	return cs[w.draw.Draw("conversation", len(cs))].Conversation
}

func (w *world) ownerOf(conversation string) string {
	for _, c := range w.all() {
		if slices.ContainsFunc(c.Events, func(e event.Event) bool {
			o, ok := e.(event.ConversationOpened)
			return ok && o.Conversation == conversation
		}) {
			return c.Stream[len("customer."):]
		}
	}
	return ""
}
