package line

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// ContentType of stored inputs: one event, as it came.
const ContentType = "application/vnd.weftline.line+json"

const (
	headerSignature = "X-Line-Signature"
	maxRequest      = 4 << 20
	maxID           = 100 // characters of an id of LINE's; they have 33 and fewer
)

// admit checks the signature: base64 of HMAC-SHA256 over the raw body under the
// channel secret ("Verify webhook signature"). It covers no time.
func (a *Adapter) admit(in inbox.Inbox, r *hosted.Request) error {
	c, err := readConfig(in.Settings)
	if err != nil {
		return fmt.Errorf("%w: the inbox's settings are wrong", hosted.ErrRefused)
	}
	mac, err := base64.StdEncoding.DecodeString(r.Header.Get(headerSignature))
	if err != nil || !hosted.Signed(sha256.New, c.secrets, r.Body, mac) {
		return fmt.Errorf("%w: %s does not fit", hosted.ErrRefused, headerSignature)
	}
	return nil
}

// split: one request holds several events, of several people.
func (a *Adapter) split(in inbox.Inbox, r *hosted.Request) (out []channel.Raw) {
	var cb callback
	if json.Unmarshal(r.Body, &cb) != nil {
		return []channel.Raw{hosted.Whole(r)}
	}
	for _, body := range cb.Events {
		var e event
		if json.Unmarshal(body, &e) != nil {
			e = event{}
		}
		if a.heed(in.ID, e) {
			out = append(out, input(in.ID, e, body))
		}
	}
	return out
}

// heed says whether an event is kept. Groups are told of in any case.
func (a *Adapter) heed(id string, e event) bool {
	switch {
	case e.Type == typeLeave:
		a.left(id)
		return false
	case e.Source.group() != "":
		a.stranger(id)
		return e.Type == typeMessage || e.Type == typePostback || e.Type == typeUnsend
	case e.Type == typeFollow && (e.Follow == nil || !e.Follow.IsUnblocked):
		return false // a new friend has not said anything
	}
	return !ignored[e.Type]
}

// input names an event by LINE's id of it, which is the same when LINE delivers
// it again, and by its bytes where there is none.
func input(id string, e event, body []byte) channel.Raw {
	raw := channel.Raw{ProviderID: hosted.Clip(e.ID, maxID), ContentType: ContentType, Body: body}
	if raw.ProviderID == "" {
		raw.ProviderID = hosted.Name(body)
	}
	switch g := e.Source.group(); {
	case g != "" && len(g) <= maxID:
		raw.Peek = channel.Address{Kind: kindGroup, Scope: id, Address: g}
	case e.Source.UserID != "" && len(e.Source.UserID) <= maxID:
		raw.Peek = channel.Address{Kind: Name, Scope: id, Address: e.Source.UserID}
	}
	return raw
}

const inGroup = "the account is in a group: what is said there is kept and flagged, and nothing is sent. Take it out, and turn off Allow bot to join group chats; only chats with one person are served"

// stranger tells of a group that the account is in.
func (a *Adapter) stranger(id string) {
	a.mu.Lock()
	a.groups[id] = inGroup
	a.mu.Unlock()
	if a.deps.Inboxes.Health(id).State == "ok" {
		a.well(id)
	}
}

// left takes that back. The account may be in another one still: that one will be heard.
func (a *Adapter) left(id string) {
	a.mu.Lock()
	delete(a.groups, id)
	a.mu.Unlock()
	if a.deps.Inboxes.Health(id).State == "ok" {
		a.well(id)
	}
}
