package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/hub/hubtest"
)

// A mail with which we begin carries a link. Opening it does nothing; pressing its button is
// a consent event, as STOP in a text message is, and nothing more goes out.
func TestUnsubscribeThroughAHub(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	ctx, cancel := within()
	defer cancel()
	begin := func(key string) error {
		_, err := s.callers[""].Call(ctx, s.url, "StartConversation", []byte(`{"kind":"email","address":"ada@victim.test","inboxId":"support","subject":"News","text":"Look what we have.","idempotencyKey":"`+key+`"}`))
		return err
	}
	if err := begin("one"); err != nil {
		t.Fatal(err)
	}
	mails := s.sentOnlyTo("ada@victim.test")
	link := strings.Trim(mails[0].Header.Get("List-Unsubscribe"), "<>")
	if !strings.HasPrefix(link, s.url+"/mail/unsubscribe/support/") || mails[0].Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Fatalf("header %v", mails[0].Header)
	}
	stranger := hubtest.NewCaller("")
	if status, body, err := stranger.Get(ctx, link); err != nil || status != http.StatusOK || !strings.Contains(string(body), "<form method=\"post\">") {
		t.Fatalf("page: %d %s (%v)", status, body, err)
	}
	if err := begin("two"); err != nil {
		t.Fatalf("looking unsubscribes: %v", err)
	}
	if status, body, err := stranger.Post(ctx, link, "application/x-www-form-urlencoded", []byte("List-Unsubscribe=One-Click")); err != nil || status != http.StatusOK {
		t.Fatalf("button: %d %s (%v)", status, body, err)
	}
	for n := 0; ; n++ {
		err := begin(fmt.Sprint("further ", n)) // the same key would give the same answer again
		if refused, ok := errors.AsType[*hubtest.CallError](err); ok && strings.Contains(string(refused.Body), "opted out") {
			break
		}
		if err != nil {
			s.fatalf("%v", err)
		}
		select {
		case <-time.After(40 * time.Millisecond):
		case <-ctx.Done():
			s.fatalf("mail still goes out")
		}
	}
	var page inboxv1.GetTimelineResponse
	id, err := s.who(ctx, "ada@victim.test", false)
	if err != nil {
		t.Fatal(err)
	}
	for { // the read model follows
		if err := s.ask(ctx, "GetTimeline", []byte(`{"customerId":"`+id+`","kinds":["message"]}`), &page); err != nil {
			t.Fatal(err)
		}
		if n := len(page.GetEntries()); n > 0 {
			break
		}
		select {
		case <-time.After(40 * time.Millisecond):
		case <-ctx.Done():
			s.fatalf("the wish is not in the timeline")
		}
	}
	if m := page.GetEntries()[0].GetMessage(); m.GetText() != "Unsubscribed by the link in our mail." || m.GetFrom() != "ada@victim.test" {
		t.Errorf("entry %v", m)
	}
}
