package mastodon_test

import (
	"strings"
	"testing"
	"time"

	client "github.com/mattn/go-mastodon"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

// TestTheFakeServesSomebodyElsesClient: go-mastodon, which was written for real
// instances, reads what our fake says and is understood by it.
func TestTheFakeServesSomebodyElsesClient(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := client.NewClient(&client.Config{Server: f.URL, AccessToken: token})
	ctx := t.Context()
	me, err := c.GetAccountCurrentUser(ctx)
	if err != nil || me.Acct != "shop" {
		t.Fatalf("%+v, %v", me, err)
	}
	events, err := c.StreamingUser(ctx)
	if err != nil {
		t.Fatal(err)
	}
	hostedtest.Wait(t, "the stream", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.open == 1
	})
	next := func() client.Event {
		t.Helper()
		select {
		case e := <-events:
			return e
		case <-time.After(time.Minute):
			t.Fatal("the stream says nothing")
			return nil
		}
	}
	f.mention(said("m", "hello <b>", "direct", time.Now()))
	if e, ok := next().(*client.NotificationEvent); !ok || e.Notification.Type != "mention" || e.Notification.Account.Acct != "Ada@far.test" || !strings.Contains(e.Notification.Status.Content, "hello &lt;b&gt;") {
		t.Errorf("%+v", e)
	}
	edit := &desk{fake: f, t: t}
	edit.edit("m", "after")
	if e, ok := next().(*client.UpdateEditEvent); !ok || e.Status.ID != client.ID(number("m")) || e.Status.Visibility != "direct" {
		t.Errorf("%+v", e)
	}
	f.mu.Lock()
	f.tell("delete", number("m"))
	f.mu.Unlock()
	if e, ok := next().(*client.DeleteEvent); !ok || e.ID != client.ID(number("m")) {
		t.Errorf("%+v", e)
	}
	list, err := c.GetNotifications(ctx, &client.Pagination{MinID: "100", Limit: 40})
	if err != nil || len(list) != 1 || list[0].Status.ID != client.ID(number("m")) {
		t.Errorf("%+v, %v", list, err)
	}
	s, err := c.PostStatus(ctx, &client.Toot{Status: "@ada@far.test hi", InReplyToID: client.ID(number("m")), Visibility: "direct"})
	if err != nil || s.Visibility != "direct" || s.InReplyToID != number("m") {
		t.Errorf("%+v, %v", s, err)
	}
}
