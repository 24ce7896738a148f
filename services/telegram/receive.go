package telegram

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// ContentType of stored inputs: one Update, as it came.
const ContentType = "application/vnd.weftline.telegram+json"

const headerSecret = "X-Telegram-Bot-Api-Secret-Token"

// admit compares the secret that was registered with the webhook ("setWebhook", secret_token).
func (a *Adapter) admit(in inbox.Inbox, r *hosted.Request) error {
	c, err := a.config(in)
	if err != nil {
		return fmt.Errorf("%w: the inbox's settings are wrong", hosted.ErrRefused)
	}
	if !hosted.Matches(c.secrets, r.Header.Get(headerSecret)) {
		return fmt.Errorf("%w: %s does not fit", hosted.ErrRefused, headerSecret)
	}
	return nil
}

// split: one request is one update.
func (a *Adapter) split(in inbox.Inbox, r *hosted.Request) []channel.Raw {
	return []channel.Raw{a.input(in.ID, peek(r.Body), r.Body)}
}

// answer acknowledges a pressed button in the answer to the request itself
// ("Making requests when getting updates"): its customer sees no hourglass.
func answer(w http.ResponseWriter, _ inbox.Inbox, r *hosted.Request) {
	u := peek(r.Body)
	if u.Callback.ID == "" {
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"method": "answerCallbackQuery", "callback_query_id": u.Callback.ID})
}

// glance is the little of an update that names and orders it.
type glance struct {
	ID      int64
	Message struct {
		ID       int64 `json:"message_id"`
		Chat     chat  `json:"chat"`
		EditDate int64 `json:"edit_date"`
	}
	Edited   bool
	Callback struct {
		ID   string `json:"id"`
		From struct {
			ID int64 `json:"id"`
		} `json:"from"`
	}
	Other chat // of what is no message
}

// peek reads what it can; whatever is missing is zero.
func peek(b []byte) (g glance) {
	var top map[string]json.RawMessage
	if json.Unmarshal(b, &top) != nil {
		return g
	}
	_ = json.Unmarshal(top["update_id"], &g.ID)
	for _, key := range []string{"message", "channel_post"} {
		_ = json.Unmarshal(top[key], &g.Message)
	}
	for _, key := range []string{"edited_message", "edited_channel_post"} {
		if top[key] != nil {
			g.Edited = true
			_ = json.Unmarshal(top[key], &g.Message)
		}
	}
	_ = json.Unmarshal(top["callback_query"], &g.Callback)
	for _, key := range []string{"message_reaction", "my_chat_member"} {
		var other struct {
			Chat chat `json:"chat"`
		}
		if json.Unmarshal(top[key], &other) == nil && other.Chat.ID != 0 {
			g.Other = other.Chat
		}
	}
	return g
}

// input names an update by what it is about. Its update_id would not do: after
// a quiet week Telegram draws a new one at random.
func (a *Adapter) input(id string, g glance, b []byte) channel.Raw {
	raw := channel.Raw{ProviderID: hosted.Name(b), ContentType: ContentType, Body: b}
	at := g.Message.Chat
	switch {
	case g.Message.ID != 0 && at.ID != 0 && !g.Edited:
		raw.ProviderID = messageID(at.ID, g.Message.ID)
	case g.Callback.ID != "":
		raw.ProviderID = "pressed:" + hosted.Clip(g.Callback.ID, 100)
		at = chat{ID: g.Callback.From.ID, Type: private}
	case g.Other.ID != 0:
		at = g.Other
	}
	switch {
	case at.ID != 0 && at.Type == private:
		raw.Peek = channel.Address{Kind: Name, Scope: id, Address: strconv.FormatInt(at.ID, 10)}
	case at.ID != 0:
		raw.Peek = channel.Address{Kind: kindGroup, Scope: id, Address: strconv.FormatInt(at.ID, 10)}
		a.stranger(id, at)
	}
	return raw
}

// stranger tells of a group or channel that the bot is in.
func (a *Adapter) stranger(id string, c chat) {
	detail := fmt.Sprintf("the bot is in a %s (%s): what is said there is kept and flagged, and nothing is sent. Take the bot out of it; only private chats are served", hosted.Clip(c.Type, 20), hosted.DisplayName(c.Title))
	a.mu.Lock()
	a.groups[id] = detail
	a.mu.Unlock()
	if h := a.deps.Inboxes.Health(id); h.State == "ok" || h.State == "connecting" {
		a.note(id, "ok", detail)
	}
}

// messageID is how a message is known: in Message.ID, Refs, Change.Target and Receipt.ProviderID.
func messageID(chatID, id int64) string {
	return strconv.FormatInt(chatID, 10) + ":" + strconv.FormatInt(id, 10)
}
