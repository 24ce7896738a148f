package matrix

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/hosted"
)

// event is what of a room's event is read ("Room events").
type event struct {
	ID       string  `json:"event_id"`
	Type     string  `json:"type"`
	Sender   string  `json:"sender"`
	StateKey *string `json:"state_key"`
	At       int64   `json:"origin_server_ts"` // ms
	Redacts  string  `json:"redacts"`          // before room version 11; since then in content
	Content  content `json:"content"`
	Unsigned struct {
		Transaction     string `json:"transaction_id"`
		RedactedBecause any    `json:"redacted_because"`
		PrevContent     struct {
			Membership string `json:"membership"`
		} `json:"prev_content"`
	} `json:"unsigned"`
}

// content is the union of the contents that are read.
type content struct {
	MsgType   string    `json:"msgtype"`
	Body      string    `json:"body"`
	Format    string    `json:"format"`
	Formatted string    `json:"formatted_body"`
	Relates   *relation `json:"m.relates_to"`
	New       *content  `json:"m.new_content"`

	URL      string          `json:"url"`
	Encfile  json.RawMessage `json:"file"`
	Filename string          `json:"filename"`
	Info     struct {
		Type string `json:"mimetype"`
		Size int64  `json:"size"`
	} `json:"info"`
	Geo string `json:"geo_uri"`

	Redacts string `json:"redacts"`

	// Of m.room.member, m.room.encryption and m.room.name.
	Membership string `json:"membership"`
	Name       string `json:"displayname"`
	Direct     bool   `json:"is_direct"`
	Algorithm  string `json:"algorithm"`
	RoomName   string `json:"name"`
}

type relation struct {
	Type     string `json:"rel_type"`
	Event    string `json:"event_id"`
	Key      string `json:"key"`
	Fallback bool   `json:"is_falling_back"`
	ReplyTo  struct {
		Event string `json:"event_id"`
	} `json:"m.in_reply_to"`
}

func unmarshal(b []byte, v any) error { return json.Unmarshal(b, v) }

// decode reads what it can of an event: users write contents as they like, and
// what has the wrong type is left out. Parse is strict, so that such an event is kept as unread.
func decode(raw json.RawMessage) (e event) {
	_ = json.Unmarshal(raw, &e)
	return e
}

// redacted is the event that a redaction is about.
func (e event) redacted() string {
	if e.Content.Redacts != "" {
		return e.Content.Redacts
	}
	return e.Redacts
}

// when is the homeserver's time unless it is in the future or none.
func when(raw channel.Raw, ms int64) time.Time {
	at := time.UnixMilli(ms).UTC()
	if ms <= 0 || at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at
}

// refOf is how an event is known: in Message.ID, Refs, Change.Target and
// Receipt.ProviderID. It holds the room, so that an answer goes there.
func refOf(room, event string) string { return room + "/" + event }

// fromRef takes one apart.
func fromRef(ref string) (room, event string, ok bool) {
	i := strings.Index(ref, "/$")
	if i < 1 || ref[0] != '!' {
		return "", "", false
	}
	return ref[:i], ref[i+1:], true
}

// isUser says whether it looks like a user id: "@local:server" ("User Identifiers").
func isUser(s string) bool {
	return len(s) <= 255 && strings.HasPrefix(s, "@") && strings.IndexByte(s, ':') > 0 && !strings.HasSuffix(s, ":")
}

// same says whether two user ids are one.
func same(x, y string) bool { return handleid.Normalise(Name, x) == handleid.Normalise(Name, y) }

func serverOf(user string) string {
	_, server, _ := strings.Cut(user, ":")
	return server
}

// person is a customer's address.
func person(user, name string) channel.Address {
	return channel.Address{Kind: Name, Address: handleid.Normalise(Name, user), Name: hosted.DisplayName(name)}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode what was decoded: %v", err)) // raw messages and strings only
	}
	return b
}
