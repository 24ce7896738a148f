package line

import "encoding/json"

// callback is what LINE posts ("Webhook event objects").
type callback struct {
	Destination string            `json:"destination"` // the account's own user id
	Events      []json.RawMessage `json:"events"`      // none: LINE tries the address
}

// event is what of an event is read.
type event struct {
	Type      string    `json:"type"`
	ID        string    `json:"webhookEventId"` // the same when it is delivered again
	Timestamp int64     `json:"timestamp"`      // milliseconds; of the event, also when it is delivered again
	Source    source    `json:"source"`
	Message   *message  `json:"message"`
	Unsend    *unsend   `json:"unsend"`
	Follow    *follow   `json:"follow"`
	Postback  *postback `json:"postback"`
}

type source struct {
	Type    string `json:"type"` // user, group, room
	UserID  string `json:"userId"`
	GroupID string `json:"groupId"`
	RoomID  string `json:"roomId"`
}

type message struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Text     string `json:"text"` // emoji of LINE's own as their names in brackets, mentions as they are read
	QuotedID string `json:"quotedMessageId"`

	Provider struct {
		Type string `json:"type"` // line, external
		URL  string `json:"originalContentUrl"`
	} `json:"contentProvider"`

	FileName string `json:"fileName"`
	FileSize int64  `json:"fileSize"`

	Title     string  `json:"title"`
	Address   string  `json:"address"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`

	Keywords []string `json:"keywords"`
}

type unsend struct {
	MessageID string `json:"messageId"`
}

type follow struct {
	IsUnblocked bool `json:"isUnblocked"`
}

type postback struct {
	Data   string            `json:"data"`
	Params map[string]string `json:"params"`
}

// Types of events.
const (
	typeMessage  = "message"
	typeUnsend   = "unsend"
	typeFollow   = "follow"
	typeUnfollow = "unfollow"
	typePostback = "postback"
	typeJoin     = "join"
	typeLeave    = "leave"
)

// ignored are events that say nothing to an agent: who links accounts, comes near a
// beacon, watches a video, and what modules and notification messages tell their owners.
var ignored = map[string]bool{
	"accountLink": true, "beacon": true, "videoPlayComplete": true, "membership": true, "memberJoined": true, "memberLeft": true,
	"module": true, "activated": true, "deactivated": true, "botSuspended": true, "botResumed": true, "delivery": true,
}

// group is the id of the group or room; "" in a chat with one person.
func (s source) group() string {
	if s.GroupID != "" {
		return s.GroupID
	}
	return s.RoomID
}
