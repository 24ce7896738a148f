package bench

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// instance is a Mastodon instance's API for the hub's account, to which
// customers of other instances write direct messages.
type instance struct {
	*asked
	*httptest.Server
	notifications []map[string]any // number n is n-1
	streams       int              // open now
	listed        time.Time        // when notifications were asked for last
}

const (
	mastodonDomain = "mastodon.bench.test"
	mastodonToken  = "bench-mastodon-token-of-nobody"
)

func openInstance() *instance {
	i := &instance{asked: newAsked()}
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	return i
}

func (i *instance) source() source {
	return source{
		name: "mastodon", inbox: inboxYAML("mastodon", "mastodon", "instance", i.URL, "access_token", mastodonToken),
		ready: i.ready, write: i.write, acknowledged: i.acknowledged, asked: i.answered,
	}
}

// ready waits until the hub listens and has looked.
func (i *instance) ready(ctx context.Context, _, _ int) error {
	return i.until(ctx, "listens to the stream", func() bool { return i.streams == 1 && !i.listed.IsZero() && i.seen >= i.last })
}

// write lets everybody say something, then everybody the next thing; the stream tells of each.
func (i *instance) write(_ context.Context, _ *child, from, senders int) error {
	i.change(func() {
		for n := range eachSays {
			for sender := from; sender < from+senders; sender++ {
				i.last++
				i.notifications = append(i.notifications, mention(i.last, sender, n))
			}
		}
	})
	return nil
}

// calm is how long no notifications are asked for when all that the stream told has been looked after.
const calm = 300 * time.Millisecond

// acknowledged waits for more than the last question: each event of the stream
// makes the hub ask, and what is left of that is no part of the next channel's round.
func (i *instance) acknowledged(ctx context.Context) error {
	if err := i.asked.acknowledged(ctx); err != nil {
		return err
	}
	for {
		i.mu.Lock()
		left := calm - time.Since(i.listed)
		i.mu.Unlock()
		if left <= 0 {
			return nil
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// mention is a notification of a direct message ("Notification", "Status").
func mention(id, sender, n int) map[string]any {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	acct := fmt.Sprintf("customer%d@far.test", sender)
	from := mastodonUser(strconv.Itoa(1_000_000+sender), acct, "Customer")
	return map[string]any{
		"id": strconv.Itoa(id), "type": "mention", "created_at": now, "account": from,
		"status": map[string]any{
			"id": strconv.Itoa(110_000_000_000 + id), "created_at": now, "edited_at": nil, "in_reply_to_id": nil, "in_reply_to_account_id": nil,
			"visibility": "direct", "spoiler_text": "", "sensitive": false, "language": "en", "uri": "https://far.test/1", "url": "https://far.test/1",
			"content": `<p><span class="h-card"><a href="https://` + mastodonDomain + `/@shop" class="u-url mention">@<span>shop</span></a></span> ` + html.EscapeString(text(sender, n)) + `</p>`,
			"account": from, "media_attachments": []any{}, "tags": []any{}, "emojis": []any{}, "reblog": nil, "poll": nil, "card": nil,
			"mentions": []any{map[string]any{"id": "1", "username": "shop", "acct": "shop", "url": "https://" + mastodonDomain + "/@shop"}},
		},
	}
}

func mastodonUser(id, acct, name string) map[string]any {
	user, _, _ := strings.Cut(acct, "@")
	return map[string]any{
		"id": id, "username": user, "acct": acct, "display_name": name, "locked": false, "bot": false, "created_at": "2022-11-01T00:00:00.000Z",
		"note": "", "url": "https://far.test/@" + user, "avatar": "", "header": "", "fields": []any{}, "emojis": []any{},
	}
}
