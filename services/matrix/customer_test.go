package matrix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

// ownClient has connections of its own: httptest.Server.Close ends idle ones of the
// default transport, also those another test is about to write to.
var ownClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// customer is somebody with a Matrix client: our fake and a real homeserver are called the same way.
type customer struct {
	t     testing.TB
	base  string
	token string
	user  string
	next  int
	// lags: the homeserver shows events in a room some time after it has taken them, in their order.
	lags bool
}

func newCustomer(t testing.TB, base, token string) *customer {
	c := &customer{t: t, base: base, token: token}
	var who struct {
		User string `json:"user_id"`
	}
	c.call(http.MethodGet, "/account/whoami", nil, &who)
	c.user = who.User
	return c
}

// try calls and gives the status.
func (c *customer) try(method, path string, body, result any) (int, string) {
	var b io.Reader
	if body != nil {
		j, err := json.Marshal(body)
		if err != nil {
			c.t.Error(err)
		}
		b = bytes.NewReader(j)
	}
	r, err := http.NewRequest(method, c.base+"/_matrix/client/v3"+path, b)
	if err != nil {
		c.t.Error(err)
		return 0, ""
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	res, err := ownClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode == http.StatusOK && result != nil {
		err = json.Unmarshal(got, result)
	}
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(got)
}

func (c *customer) call(method, path string, body, result any) {
	c.t.Helper()
	if status, text := c.try(method, path, body, result); status != http.StatusOK {
		c.t.Errorf("%s %s: %d %s", method, path, status, text)
	}
}

// direct opens a direct room with somebody.
func (c *customer) direct(with string, more map[string]any) (room string) {
	c.t.Helper()
	body := map[string]any{"is_direct": true, "preset": "trusted_private_chat", "invite": []string{with}}
	for k, v := range more {
		body[k] = v
	}
	var got struct {
		Room string `json:"room_id"`
	}
	c.call(http.MethodPost, "/createRoom", body, &got)
	return got.Room
}

func (c *customer) send(room, kind, txn string, content map[string]any) (event string) {
	c.t.Helper()
	if txn == "" {
		c.next++
		txn = fmt.Sprint("own", c.next)
	}
	var got struct {
		Event string `json:"event_id"`
	}
	c.call(http.MethodPut, "/rooms/"+url.PathEscape(room)+"/send/"+kind+"/"+url.PathEscape(txn), content, &got)
	return got.Event
}

func text(s string) map[string]any { return map[string]any{"msgtype": "m.text", "body": s} }

func (c *customer) say(room, s string) string {
	c.t.Helper()
	return c.send(room, "m.room.message", "", text(s))
}

func (c *customer) edit(room, event, s string) string {
	c.t.Helper()
	content := text("* " + s)
	content["m.new_content"] = text(s)
	content["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": event}
	return c.send(room, "m.room.message", "", content)
}

func (c *customer) react(room, event, key string) string {
	c.t.Helper()
	return c.send(room, "m.reaction", "", map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": event, "key": key}})
}

func (c *customer) redact(room, event string) string {
	c.t.Helper()
	c.next++
	var got struct {
		Event string `json:"event_id"`
	}
	c.call(http.MethodPut, fmt.Sprintf("/rooms/%s/redact/%s/own%d", url.PathEscape(room), url.PathEscape(event), c.next), map[string]any{}, &got)
	return got.Event
}

// said is an event of a room as the customer sees it.
type said struct {
	ID      string         `json:"event_id"`
	Type    string         `json:"type"`
	Sender  string         `json:"sender"`
	Key     *string        `json:"state_key"`
	Content map[string]any `json:"content"`
}

const marker = "org.weftline.marker"

// sees is all of a room, oldest first: everything that was taken before it was asked for.
func (c *customer) sees(room string) (all []said) {
	if !c.lags {
		return c.page(room)
	}
	var mark struct {
		Event string `json:"event_id"`
	}
	c.next++
	status, _ := c.try(http.MethodPut, fmt.Sprintf("/rooms/%s/send/%s/mark%d", url.PathEscape(room), marker, c.next), map[string]any{}, &mark)
	hostedtest.Wait(c.t, "the room to be shown as it is", func() bool {
		all = c.page(room)
		return status != http.StatusOK || slices.ContainsFunc(all, func(e said) bool { return e.ID == mark.Event })
	})
	return slices.DeleteFunc(all, func(e said) bool { return e.Type == marker })
}

// page is what is shown of a room, oldest first.
func (c *customer) page(room string) (all []said) {
	for from := ""; ; {
		q := url.Values{"dir": {"b"}, "limit": {"100"}}
		if from != "" {
			q.Set("from", from)
		}
		var page struct {
			Chunk []said `json:"chunk"`
			End   string `json:"end"`
		}
		if status, _ := c.try(http.MethodGet, "/rooms/"+url.PathEscape(room)+"/messages?"+q.Encode(), nil, &page); status != http.StatusOK {
			return nil // not there yet
		}
		all = append(all, page.Chunk...)
		if page.End == "" || page.End == from || len(page.Chunk) == 0 {
			break
		}
		from = page.End
	}
	slices.Reverse(all)
	return all
}

// shown are the texts of others in rooms.
func (c *customer) shown(rooms ...string) (texts []string) {
	for _, room := range rooms {
		for _, e := range c.sees(room) {
			if body, ok := e.Content["body"].(string); ok && e.Type == "m.room.message" && e.Sender != c.user {
				texts = append(texts, body)
			}
		}
	}
	return texts
}
