package customer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

var t0 = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }

// given folds commits, one a minute; every argument is one commit.
func given(commits ...[]event.Event) customer.State {
	var s customer.State
	for i, es := range commits {
		id := "given"
		if m, ok := es[len(es)-1].(event.MessageReceived); ok {
			id = "msg:" + m.Message
		}
		s = customer.Evolve(s, customer.Commit{ID: id, Stream: "customer.a", Seq: uint64(i + 1), At: minute(i), Events: es})
	}
	return s
}

func es(list ...event.Event) []event.Event { return list }

var policy = customer.Policy{Join: 24 * time.Hour, Reopen: time.Hour}

func attach(h string, tenure int64) customer.Attach {
	return customer.Attach{Handle: h, Kind: "email", Tenure: tenure}
}

func attached(h string, tenure int64) event.HandleAttached {
	return event.HandleAttached{Handle: h, Kind: "email", Tenure: tenure}
}

func openedBy(c, topic string) event.ConversationOpened {
	return event.ConversationOpened{Conversation: c, Topic: topic, Inbox: "support", Channel: "email"}
}

func received(m, conv, h string, first bool) event.MessageReceived {
	e := event.MessageReceived{
		Message: m, Conversation: conv, Handle: h, Tenure: 1, Channel: "email", Inbox: "support",
		OccurredAt: t0, Unit: event.UnitKey(conv, h, 1),
	}
	if first {
		e.UnitOpened = &t0
	}
	return e
}

func receive(m, h string, at time.Time) customer.Receive {
	return customer.Receive{
		At: at, Message: m, Handle: attach(h, 1), NewConversation: "new", Policy: policy,
		Channel: "email", Inbox: "support", OccurredAt: t0,
	}
}

// first is a customer with one message in one conversation.
func first() []event.Event {
	return es(event.CustomerCreated{}, attached("h", 1), openedBy("c", "c"), received("m1", "c", "h", true))
}

func requested(r, answers string) event.ReplyRequested {
	return event.ReplyRequested{
		Reply: r, Conversation: "c", Answers: answers, Handle: "h", Tenure: 1, Channel: "email", Inbox: "support",
		Unit: event.UnitKey("c", "h", 1), Author: "ag",
	}
}

func withRefs(m event.MessageReceived, refs ...string) event.MessageReceived { m.Refs = refs; return m }

func withFlags(m event.MessageReceived, f ...string) event.MessageReceived { m.Flags = f; return m }

func TestDecide(t *testing.T) {
	t.Parallel()
	closed := es(event.ConversationClosed{Conversation: "c"})
	snoozed := es(event.ConversationSnoozed{Conversation: "c", Until: minute(60)})
	detached := es(event.HandleDetached{Handle: "h", Tenure: 1})
	send := customer.Send{At: minute(9), Reply: "r", Conversation: "c", Author: "ag"}
	progress := func(state string) []event.Event {
		return es(event.ReplyProgressed{Reply: "r", Conversation: "c", State: state, At: t0})
	}
	said := func(state string, bounce bool) customer.Progress {
		return customer.Progress{Reply: "r", State: state, At: t0, Bounce: bounce}
	}
	var (
		field   *customer.FieldError
		missing *customer.MissingError
		changed *customer.ChangedError
		ended   *customer.TenureEndedError
		stale   *customer.StaleTenureError
		refused *customer.RefusedError
		absent  *customer.NotFoundError
	)
	for name, tc := range map[string]struct {
		given customer.State
		when  customer.Command
		then  []event.Event
		err   any // pointer to a typed error
	}{
		"the first message creates, attaches, opens": {
			given(), receive("m1", "h", t0),
			es(event.CustomerCreated{}, attached("h", 1), openedBy("new", "new"), received("m1", "new", "h", true)), nil,
		},
		"a redelivered message decides nothing": {given(first()), receive("m1", "h", minute(1)), nil, nil},
		"a fast second message joins": {
			given(first()), receive("m2", "h", minute(1)), es(received("m2", "c", "h", false)), nil,
		},
		"another handle of the customer joins and begins a unit": {
			given(first()), receive("m2", "g", minute(1)), es(attached("g", 1), received("m2", "c", "g", true)), nil,
		},
		"an open conversation nobody spoke in for long is left alone": {
			given(first()), receive("m2", "h", t0.Add(25*time.Hour)), es(openedBy("new", "new"), received("m2", "new", "h", true)), nil,
		},
		"a closed one is reopened soon after": {
			given(first(), closed), receive("m2", "h", minute(30)),
			es(event.ConversationReopened{Conversation: "c", By: "m2"}, received("m2", "c", "h", false)), nil,
		},
		"and not later": {
			given(first(), closed), receive("m2", "h", minute(90)),
			es(openedBy("new", "new"), received("m2", "new", "h", true)), nil,
		},
		"a snoozed one wakes": {
			given(first(), snoozed), receive("m2", "h", minute(2)),
			es(event.ConversationReopened{Conversation: "c", By: "m2"}, received("m2", "c", "h", false)), nil,
		},
		"an automatic answer wakes nobody": {
			given(first(), snoozed), func() customer.Command {
				c := receive("m2", "h", minute(2))
				c.Flags = []string{customer.FlagAutoReply}
				return c
			}(), es(withFlags(received("m2", "c", "h", false), "auto_reply")), nil,
		},
		"a reference reopens however old": {
			given(es(event.CustomerCreated{}, attached("h", 1), openedBy("c", "c"), withRefs(received("m1", "c", "h", true), "x")), closed),
			func() customer.Command {
				c := receive("m2", "h", t0.Add(9000*time.Hour))
				c.Reference.Hashes = []string{"y", "x"}
				return c
			}(), es(event.ConversationReopened{Conversation: "c", By: "m2"}, received("m2", "c", "h", false)), nil,
		},
		"a reference to what was forgotten asks for it": {
			given(first()), func() customer.Command {
				c := receive("m2", "h", minute(1))
				c.Reference.Conversation = "old"
				return c
			}(), nil, &missing,
		},
		"a third party's token opens a related conversation": {
			given(first()), func() customer.Command {
				c := receive("m2", "h", minute(1))
				c.Reference.Topic = "theirs"
				return c
			}(), es(openedBy("new", "theirs"), withFlags(received("m2", "new", "h", true), "third_party")), nil,
		},
		"an inbox that stays alone joins only its own": {
			given(first()), func() customer.Command {
				c := receive("m2", "h", minute(1))
				c.Policy.Alone, c.Inbox = true, "sales"
				return c
			}(), func() []event.Event {
				o, m := openedBy("new", "new"), received("m2", "new", "h", true)
				o.Inbox, m.Inbox = "sales", "sales"
				return es(o, m)
			}(), nil,
		},
		"behind the fence nothing gets in": {given(first(), detached), receive("m2", "h", minute(2)), nil, &stale},

		"a reply answers the last message": {given(first()), send, es(requested("r", "m1")), nil},
		"and closes in the same commit": {
			given(first()), func() customer.Command { c := send; c.Close = true; return c }(),
			es(requested("r", "m1"), event.ConversationClosed{Conversation: "c"}), nil,
		},
		"not when something was said since": {
			given(first(), es(received("m2", "c", "h", false))),
			func() customer.Command { c := send; c.LastSeen = 1; return c }(), nil, &changed,
		},
		"but by force": {
			given(first(), es(received("m2", "c", "h", false))),
			func() customer.Command { c := send; c.LastSeen, c.Force = 1, true; return c }(), es(requested("r", "m2")), nil,
		},
		"not after the tenure ended": {given(first(), detached), send, nil, &ended},
		"to the handle that is still attached": {
			given(first(), es(attached("g", 1), received("m2", "c", "g", true)), es(event.HandleDetached{Handle: "g", Tenure: 1})),
			send, es(requested("r", "m1")), nil,
		},
		"never to a third party by default": {
			given(first(), es(attached("g", 1), withFlags(received("m2", "c", "g", true), "third_party"))),
			send, es(requested("r", "m1")), nil,
		},
		"to where the message asked about came in": {
			given(first(), es(attached("g", 1), received("m2", "c", "g", true))),
			func() customer.Command { c := send; c.Answers = "m1"; return c }(), es(requested("r", "m1")), nil,
		},
		"to an older message by what a look-up says": {
			given(first(), es(attached("g", 1), received("m2", "c", "g", true))),
			func() customer.Command {
				c := send
				c.Answers = "m0"
				c.Answered = &customer.Answered{Conversation: "c", Handle: "h", Tenure: 1, Channel: "email", Inbox: "support"}
				return c
			}(), es(requested("r", "m0")), nil,
		},
		"not to a message nobody knows": {
			given(first()), func() customer.Command { c := send; c.Answers = "m9"; return c }(), nil, &absent,
		},
		"writing first": {
			given(),
			customer.Start{At: t0, Reply: "r", Conversation: "c", Handle: attach("h", 1), Channel: "email", Inbox: "support", Author: "ag"},
			func() []event.Event {
				o, r := openedBy("c", "c"), requested("r", "")
				o.Outbound, r.UnitOpened = true, &t0
				return es(event.CustomerCreated{}, attached("h", 1), o, r)
			}(), nil,
		},

		"sent":               {given(first(), es(requested("r", "m1"))), said("sent", false), progress("sent"), nil},
		"never backwards":    {given(first(), es(requested("r", "m1")), progress("delivered")), said("sent", false), nil, nil},
		"sent after unknown": {given(first(), es(requested("r", "m1")), progress("unknown")), said("sent", false), progress("sent"), nil},
		"failed after sent is no news from our own sending": {
			given(first(), es(requested("r", "m1")), progress("sent")), said("failed", false), nil, nil,
		},
		"but from a bounce it is": {
			given(first(), es(requested("r", "m1")), progress("sent")), said("failed", true), progress("failed"), nil,
		},
		"a state nobody knows": {given(first(), es(requested("r", "m1"))), said("lost", false), nil, &field},
		"a retry of a failed reply": {
			given(first(), es(requested("r", "m1")), progress("failed")),
			customer.Retry{ID: "k", Reply: "r", Conversation: "c"},
			es(event.ReplyRetried{Reply: "r", Conversation: "c", Attempt: 2}), nil,
		},
		"not of a sent one": {
			given(first(), es(requested("r", "m1")), progress("sent")), customer.Retry{ID: "k", Reply: "r", Conversation: "c"}, nil, &refused,
		},
		"what an earlier attempt failed with is over": {
			given(first(), es(requested("r", "m1")), progress("failed"), es(event.ReplyRetried{Reply: "r", Conversation: "c", Attempt: 2})),
			said("failed", false), nil, nil,
		},
		"nor does it begin anew when the channel's clock is ahead of ours": {
			given(first(), es(requested("r", "m1")), es(event.ReplyProgressed{Reply: "r", Conversation: "c", State: "failed", At: minute(90)}),
				es(event.ReplyRetried{Reply: "r", Conversation: "c", Attempt: 2})),
			customer.Progress{Reply: "r", State: "failed", At: minute(90)},
			nil, nil,
		},
		"what it says later is of the new attempt": {
			given(first(), es(requested("r", "m1")), es(event.ReplyProgressed{Reply: "r", Conversation: "c", State: "failed", At: minute(90)}),
				es(event.ReplyRetried{Reply: "r", Conversation: "c", Attempt: 2})),
			customer.Progress{Reply: "r", State: "failed", At: minute(91)},
			es(event.ReplyProgressed{Reply: "r", Conversation: "c", State: "failed", At: minute(91)}), nil,
		},
		"nor that it went out, when it had failed": {
			given(first(), es(requested("r", "m1")), progress("failed"), es(event.ReplyRetried{Reply: "r", Conversation: "c", Attempt: 2})),
			said("sent", false), nil, nil,
		},
		"the attempt tells better than the clock": {
			given(first(), es(requested("r", "m1")), progress("failed"), es(event.ReplyRetried{Reply: "r", Conversation: "c", Attempt: 2})),
			func() customer.Command { c := said("sent", false); c.Attempt = 2; return c }(), progress("sent"), nil,
		},
		"not of one that came back": {
			given(first(), es(requested("r", "m1")), progress("sent"), progress("failed")),
			customer.Retry{ID: "k", Reply: "r", Conversation: "c"},
			nil, &refused,
		},
		"that it went out counts when it was not known": {
			given(first(), es(requested("r", "m1")), progress("unknown"), es(event.ReplyRetried{Reply: "r", Conversation: "c", Attempt: 2})),
			said("sent", false), progress("sent"), nil,
		},

		"close":              {given(first()), customer.SetStatus{ID: "k", Conversation: "c", Status: customer.Closed}, es(event.ConversationClosed{Conversation: "c"}), nil},
		"close what is":      {given(first(), closed), customer.SetStatus{ID: "k", Conversation: "c", Status: customer.Closed}, nil, nil},
		"reopen":             {given(first(), closed), customer.SetStatus{ID: "k", Actor: "ag", Conversation: "c", Status: customer.Open}, es(event.ConversationReopened{Conversation: "c", By: "ag"}), nil},
		"pend":               {given(first()), customer.SetStatus{ID: "k", Conversation: "c", Status: customer.Pending}, es(event.ConversationPended{Conversation: "c"}), nil},
		"snooze":             {given(first()), customer.SetStatus{ID: "k", At: t0, Conversation: "c", Status: customer.Snoozed, Until: minute(60)}, snoozed, nil},
		"snooze to the past": {given(first()), customer.SetStatus{ID: "k", At: minute(61), Conversation: "c", Status: customer.Snoozed, Until: minute(60)}, nil, &field},
		"snooze too far":     {given(first()), customer.SetStatus{ID: "k", At: t0, Conversation: "c", Status: customer.Snoozed, Until: t0.AddDate(2, 0, 0)}, nil, &field},
		"no such status":     {given(first()), customer.SetStatus{ID: "k", Conversation: "c", Status: "done"}, nil, &field},
		"no such one":        {given(first()), customer.SetStatus{ID: "k", Conversation: "d", Status: customer.Closed}, nil, &missing},
		"wake":               {given(first(), snoozed), customer.Wake{Conversation: "c", Until: minute(60)}, es(event.ConversationWoken{Conversation: "c", Until: minute(60)}), nil},
		"a snooze that was changed does not wake": {given(first(), snoozed), customer.Wake{Conversation: "c", Until: minute(50)}, nil, nil},

		"note":                {given(first()), customer.Note{Note: "n", Conversation: "c"}, es(event.NoteAdded{Note: "n", Conversation: "c"}), nil},
		"assign":              {given(first()), customer.Assign{ID: "k", Conversation: "c", Assignee: "ag"}, es(event.ConversationAssigned{Conversation: "c", Assignee: "ag"}), nil},
		"unassign":            {given(first()), customer.Assign{ID: "k", Conversation: "c"}, nil, nil},
		"assign to no token":  {given(first()), customer.Assign{ID: "k", Conversation: "c", Assignee: "a b"}, nil, &field},
		"priority":            {given(first()), customer.Prioritise{ID: "k", Conversation: "c", Priority: "high"}, es(event.ConversationPrioritised{Conversation: "c", Priority: "high"}), nil},
		"normal is nothing":   {given(first()), customer.Prioritise{ID: "k", Conversation: "c", Priority: "normal"}, nil, nil},
		"no priority":         {given(first()), customer.Prioritise{ID: "k", Conversation: "c", Priority: "asap"}, nil, &field},
		"tag":                 {given(first()), customer.Tag{ID: "k", Conversation: "c", Tag: "rückgabe"}, es(event.ConversationTagged{Conversation: "c", Tag: "rückgabe"}), nil},
		"tag twice":           {given(first(), es(event.ConversationTagged{Conversation: "c", Tag: "x"})), customer.Tag{ID: "k", Conversation: "c", Tag: "x"}, nil, nil},
		"untag":               {given(first(), es(event.ConversationTagged{Conversation: "c", Tag: "x"})), customer.Tag{ID: "k", Conversation: "c", Tag: "x", Remove: true}, es(event.ConversationUntagged{Conversation: "c", Tag: "x"}), nil},
		"an empty tag":        {given(first()), customer.Tag{ID: "k", Conversation: "c"}, nil, &field},
		"attribute":           {given(first()), customer.SetAttribute{ID: "k", Name: "plan"}, es(event.AttributeSet{Name: "plan"}), nil},
		"attribute name":      {given(first()), customer.SetAttribute{ID: "k", Name: "Plan!"}, nil, &field},
		"attribute of nobody": {given(), customer.SetAttribute{ID: "k", Name: "plan"}, nil, &absent},

		"attach again":     {given(first()), attach("h", 1), nil, nil},
		"attach the fence": {given(first(), detached), attach("h", 1), nil, &stale},
		"detach hands over what is open and closes what is left empty": {
			given(first()),
			customer.Detach{Handle: "h", Tenure: 1, MoveID: "mv"},
			es(event.HandleDetached{Handle: "h", Tenure: 1, MoveID: "mv", Handed: []event.Handed{{
				Unit: event.UnitKey("c", "h", 1), OpenedAt: t0, Conversation: "c", Topic: "c", LastMessage: "m1",
			}}}, event.ConversationClosed{Conversation: "c", Reason: "moved"}), nil,
		},
		"detach what never was here": {
			given(), customer.Detach{Handle: "h", Tenure: 3}, es(event.HandleDetached{Handle: "h", Tenure: 3}), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := clone(t, tc.given)
			got, err := customer.Decide(tc.given, tc.when)
			if tc.err == nil && err != nil || tc.err != nil && !errors.As(err, tc.err) {
				t.Fatalf("error %v, want %T", err, tc.err)
			}
			if diff := cmp.Diff(tc.then, got); diff != "" {
				t.Errorf("events (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(before, clone(t, tc.given)); diff != "" {
				t.Errorf("deciding changed the state\n%s", diff)
			}
			if len(got) == 0 {
				return
			}
			after := customer.Evolve(tc.given, customer.Commit{ID: tc.when.CommitID(), Seq: 99, At: minute(99), Events: got})
			if diff := cmp.Diff(before, clone(t, tc.given)); diff != "" {
				t.Errorf("evolving changed the state before\n%s", diff)
			}
			if again, err := customer.Decide(after, tc.when); err != nil || len(again) > 0 {
				t.Errorf("decided twice: %v, %v", again, err)
			}
		})
	}
}
