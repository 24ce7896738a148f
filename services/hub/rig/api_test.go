//go:build rig

package rig_test

import (
	"bufio"
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/hub/hubtest"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// call returns the answer, or the refusal.
func (w *world) call(t *testing.T, c *hubtest.Caller, method string, in, out proto.Message) error {
	t.Helper()
	body, err := protojson.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Call(t.Context(), w.url, method, body)
	if err != nil {
		return err
	}
	if err := protojson.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return nil
}

func (w *world) must(t *testing.T, c *hubtest.Caller, method string, in, out proto.Message) {
	t.Helper()
	if err := w.call(t, c, method, in, out); err != nil {
		t.Fatal(err)
	}
}

// queued finds a conversation of the queue by its subject; nil: there is none.
func (w *world) queued(t *testing.T, subject string) *inboxv1.Conversation {
	t.Helper()
	var page inboxv1.ListConversationsResponse
	w.must(t, w.api, "ListConversations", &inboxv1.ListConversationsRequest{PageSize: 200}, &page)
	for _, c := range page.GetConversations() {
		if c.GetSubject() == subject {
			return c
		}
	}
	return nil
}

// timeline of a customer by address; empty while nobody is known by it.
func (w *world) timeline(t *testing.T, address string) *inboxv1.GetTimelineResponse {
	t.Helper()
	var found inboxv1.FindCustomerResponse
	var tl inboxv1.GetTimelineResponse
	by := &inboxv1.FindCustomerRequest_Handle{Handle: &inboxv1.FindCustomerRequest_ByHandle{Kind: "email", Address: address}}
	if w.call(t, w.api, "FindCustomer", &inboxv1.FindCustomerRequest{By: by}, &found) != nil {
		return &tl
	}
	w.must(t, w.api, "GetTimeline", &inboxv1.GetTimelineRequest{CustomerId: found.GetCustomer().GetId(), PageSize: 200}, &tl)
	return &tl
}

// said is the messages of a customer's timeline.
func (w *world) said(t *testing.T, address string) (messages []*inboxv1.TimelineEntry) {
	t.Helper()
	for _, e := range w.timeline(t, address).GetEntries() {
		if e.GetMessage() != nil {
			messages = append(messages, e)
		}
	}
	return messages
}

// untilSaid waits for n messages.
func (w *world) untilSaid(t *testing.T, address string, n int) (messages []*inboxv1.TimelineEntry) {
	t.Helper()
	until(t, strconv.Itoa(n)+" messages with "+address, func() bool {
		messages = w.said(t, address)
		return len(messages) >= n
	})
	if len(messages) != n {
		t.Fatalf("%d messages with %s, want %d", len(messages), address, n)
	}
	return messages
}

// reply answers a customer; the id is the entry's.
func (w *world) reply(t *testing.T, conversation, text string) string {
	t.Helper()
	var sent inboxv1.SendReplyResponse
	w.must(t, w.api, "SendReply", &inboxv1.SendReplyRequest{ConversationId: conversation, Text: text, IdempotencyKey: uuid.NewString()}, &sent)
	return sent.GetEntry().GetId()
}

// untilDelivery waits until a reply stands so, and returns the reason.
func (w *world) untilDelivery(t *testing.T, address, entry string, want inboxv1.DeliveryState) (detail string) {
	t.Helper()
	until(t, "the reply to "+address+" is "+want.String(), func() bool {
		for _, e := range w.said(t, address) {
			if e.GetId() == entry && e.GetMessage().GetDelivery() == want {
				detail = e.GetMessage().GetDeliveryDetail()
				return true
			}
		}
		return false
	})
	return detail
}

// inbox as its owner sees it.
func (w *world) inbox(t *testing.T, id string) *consolev1.Inbox {
	t.Helper()
	var list consolev1.ListInboxesResponse
	w.must(t, w.owner, "ListInboxes", &consolev1.ListInboxesRequest{}, &list)
	for _, in := range list.GetInboxes() {
		if in.GetId() == id {
			return in
		}
	}
	t.Fatalf("there is no inbox %s", id)
	return nil
}

func (w *world) untilHealth(t *testing.T, inbox, want string) (detail string) {
	t.Helper()
	until(t, "inbox "+inbox+" is "+want, func() bool {
		in := w.inbox(t, inbox)
		detail = in.GetHealthDetail()
		return in.GetHealth() == want
	})
	return detail
}

// download fetches a file of the API.
func (w *world) download(t *testing.T, path string) []byte {
	t.Helper()
	status, body, err := w.api.Get(t.Context(), w.url+path)
	if err != nil || status != http.StatusOK {
		t.Fatalf("download %s: %d %.200s (%v)", path, status, body, err)
	}
	return body
}

// metric is a number of the hub's own, summed over the labels that contain with.
func (w *world) metric(t *testing.T, name, with string) (sum float64) {
	t.Helper()
	for lines := bufio.NewScanner(bytes.NewReader(w.download(t, "/metrics"))); lines.Scan(); {
		series, value, _ := strings.Cut(lines.Text(), " ")
		if n, labels, _ := strings.Cut(series, "{"); n == name && strings.Contains(labels, with) {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += v
		}
	}
	return sum
}

// mailsTo is what left for an address, oldest first.
func (w *world) mailsTo(address string) (mails []hubtest.Sent) {
	for _, m := range w.sink.Mails() {
		if len(m.To) == 1 && m.To[0] == address {
			mails = append(mails, m)
		}
	}
	return mails
}
