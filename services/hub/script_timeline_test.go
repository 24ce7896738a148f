package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// readTimeline is a customer's whole timeline, found by id or e-mail address.
func (w *world) readTimeline(ctx context.Context, who string) (*inboxv1.GetTimelineResponse, error) {
	c := w.callers[""]
	if handle := handleOf(who); handle != nil {
		body, err := json.Marshal(map[string]any{"handle": handle})
		if err != nil {
			return nil, err
		}
		answer, err := c.Call(ctx, w.url, "FindCustomer", body)
		if err != nil {
			return nil, err
		}
		var found inboxv1.FindCustomerResponse
		if err := protojson.Unmarshal(answer, &found); err != nil {
			return nil, err
		}
		who = found.GetCustomer().GetId()
	}
	answer, err := c.Call(ctx, w.url, "GetTimeline", fmt.Appendf(nil, `{"customerId":%q,"pageSize":200}`, who))
	if err != nil {
		return nil, err
	}
	var t inboxv1.GetTimelineResponse
	return &t, protojson.Unmarshal(answer, &t)
}

// handleOf reads an e-mail address, or kind:scope:address; nil: it is an id.
func handleOf(who string) map[string]string {
	if kind, rest, ok := strings.Cut(who, ":"); ok {
		scope, address, _ := strings.Cut(rest, ":")
		return map[string]string{"kind": kind, "inboxId": scope, "address": address}
	}
	if strings.Contains(who, "@") {
		return map[string]string{"kind": "email", "address": who}
	}
	return nil
}

// render writes a timeline for people: the conversation's number, then
//
//	email Ada Lovelace: text +file [flag]     from the customer
//	email < text (sent)                       from us
//	note: text
//	event order.placed: title payload
//	* closed                                  what happened, without opened and handles
func render(t *inboxv1.GetTimelineResponse) string {
	var b strings.Builder
	var conversations []string
	for _, e := range t.GetEntries() {
		line := renderEntry(e)
		if line == "" {
			continue
		}
		n := slices.Index(conversations, e.GetConversationId())
		if n < 0 {
			n = len(conversations)
			conversations = append(conversations, e.GetConversationId())
		}
		fmt.Fprintf(&b, "%d %s\n", n+1, line)
	}
	return b.String()
}

func renderEntry(e *inboxv1.TimelineEntry) string {
	oneLine := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	switch body := e.GetBody().(type) {
	case *inboxv1.TimelineEntry_Note:
		return "note: " + oneLine(body.Note.GetText())
	case *inboxv1.TimelineEntry_Event:
		b := body.Event
		line := "event " + b.GetType() + ": " + oneLine(b.GetTitle())
		if b.GetPayload() != "" {
			line += " " + b.GetPayload()
		}
		return line
	case *inboxv1.TimelineEntry_Activity:
		a := body.Activity
		if a.GetVerb() == "opened" || strings.HasPrefix(a.GetVerb(), "handle_") {
			return ""
		}
		if a.GetVerb() == "reopened" { // by a message, which follows
			return "* reopened"
		}
		switch a.GetVerb() {
		case "linked", "unlinked", "suggested", "refused", "joined", "unjoined": // with an id
			return "* " + a.GetVerb()
		}
		return strings.TrimSpace("* " + a.GetVerb() + " " + a.GetValue())
	case *inboxv1.TimelineEntry_Message:
		m := body.Message
		line := e.GetChannel() + " "
		switch {
		case m.GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND:
			line += "< "
		case m.GetFromName() != "":
			line += m.GetFromName() + ": "
		default:
			line += m.GetFrom() + ": "
		}
		line = strings.TrimSpace(line + oneLine(m.GetText()))
		for _, a := range m.GetAttachments() {
			line += " +" + a.GetName()
		}
		if len(m.GetFlags()) > 0 {
			line += fmt.Sprint(" ", m.GetFlags())
		}
		if m.GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND {
			state := strings.ToLower(strings.TrimPrefix(m.GetDelivery().String(), "DELIVERY_STATE_"))
			if d := m.GetDeliveryDetail(); d != "" {
				state += ": " + d
			}
			line += " (" + state + ")"
		}
		return line
	}
	return ""
}

func cmdTimeline(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	w.running(ts)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: timeline WHO FILE")
	}
	want, have, who := expand(ts, ts.ReadFile(args[1])), "", expand(ts, args[0])
	w.poll(ts, func(ctx context.Context) bool {
		t, err := w.readTimeline(ctx, who)
		if ctx.Err() != nil {
			return false // what it was before says more
		}
		if err != nil {
			have = err.Error()
			return false
		}
		have = render(t)
		return have == want
	}, func() { w.fail(ts, "timeline of %s (-want +got):\n%s", who, cmp.Diff(want, have)) })
}

func cmdFind(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	w.running(ts)
	if neg || len(args) != 1 {
		ts.Fatalf("usage: find ADDRESS")
	}
	w.poll(ts, func(ctx context.Context) bool {
		t, err := w.readTimeline(ctx, expand(ts, args[0]))
		if err != nil || len(t.GetConversations()) == 0 {
			return false
		}
		ts.Setenv("CUSTOMER", t.GetCustomer().GetId())
		ts.Setenv("CONVERSATION", t.GetConversations()[0].GetId())
		ts.Setenv("VERSION", fmt.Sprint(t.GetConversations()[0].GetVersion()))
		return true
	}, func() { w.fail(ts, "%s is no customer", args[0]) })
}
