package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// botAPI is Telegram's Bot API for a bot without a webhook, whose updates the hub asks for.
type botAPI struct {
	*asked
	*httptest.Server
	updates []json.RawMessage // update n is n-1
	waiting int               // questions that are held now
}

// pollingToken is of another bot than the one with the webhook.
const pollingToken = "987654321:AAbenchTokenOfNobody_012345678901"

func openBotAPI() *botAPI {
	t := &botAPI{asked: newAsked()}
	t.Server = httptest.NewServer(http.HandlerFunc(t.serve))
	return t
}

func (t *botAPI) source() source {
	const name = "telegram-polling"
	return source{
		name: name, inbox: inboxYAML(name, "telegram", "bot_token", pollingToken, "receive", "polling", "api_url", t.URL),
		ready: t.ready, write: t.write, acknowledged: t.acknowledged, asked: t.answered,
	}
}

func (t *botAPI) ready(ctx context.Context, _, _ int) error {
	return t.until(ctx, "asks for updates", func() bool { return t.waiting > 0 })
}

// write lets everybody say something, then everybody the next thing: it waits until the hub has asked for all.
func (t *botAPI) write(_ context.Context, _ *child, from, senders int) error {
	t.change(func() {
		for n := range eachSays {
			for sender := from; sender < from+senders; sender++ {
				t.last++
				t.updates = append(t.updates, telegramUpdate(t.last, sender, n))
			}
		}
	})
	return nil
}

func (t *botAPI) serve(w http.ResponseWriter, r *http.Request) {
	t.change(func() { t.requests++ })
	switch method, ok := strings.CutPrefix(r.URL.Path, "/bot"+pollingToken+"/"); {
	case ok && method == "deleteWebhook":
		answerJSON(w, http.StatusOK, map[string]any{"ok": true, "result": true})
	case ok && method == "getUpdates":
		t.getUpdates(w, r)
	default:
		t.refuse("the hub asks the Bot API for %q, or with another token", method)
		answerJSON(w, http.StatusNotFound, map[string]any{"ok": false, "error_code": 404, "description": "Not Found"})
	}
}

// getUpdates holds the question until there is one; its offset acknowledges what came before ("Getting updates").
func (t *botAPI) getUpdates(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Offset, Limit, Timeout int
		Allowed                []string `json:"allowed_updates"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Limit < 1 || q.Limit > 100 || q.Offset < 0 || q.Timeout < 1 {
		t.refuse("the hub asks for updates with offset %d, limit %d, timeout %d: %v", q.Offset, q.Limit, q.Timeout, err)
		answerJSON(w, http.StatusBadRequest, map[string]any{"ok": false, "error_code": 400, "description": "Bad Request"})
		return
	}
	t.change(func() {
		t.acknowledge(q.Offset - 1)
		t.waiting++
	})
	defer t.change(func() { t.waiting-- })
	hold := time.NewTimer(time.Duration(q.Timeout) * time.Second)
	defer hold.Stop()
	for held := false; ; {
		t.mu.Lock()
		page, changed := t.updates[t.seen:min(t.seen+q.Limit, len(t.updates))], t.changed
		t.mu.Unlock()
		if len(page) > 0 || held {
			answerJSON(w, http.StatusOK, map[string]any{"ok": true, "result": append([]json.RawMessage{}, page...)})
			return
		}
		select {
		case <-changed:
		case <-hold.C:
			held = true
		case <-r.Context().Done():
			return
		}
	}
}

// telegramUpdate is a message in a private chat ("Update").
func telegramUpdate(id, sender, n int) json.RawMessage {
	user := 700001 + sender
	return json.RawMessage(fmt.Sprintf(
		`{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Customer"},"chat":{"id":%d,"first_name":"Customer","type":"private"},"date":%d,"text":%q}}`,
		id, n+1, user, user, time.Now().Unix(), text(sender, n)))
}
