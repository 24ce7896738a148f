package discord

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

// user is what of a user is read ("User").
type user struct {
	ID     string `json:"id"`
	Name   string `json:"username,omitempty"`
	Global string `json:"global_name,omitempty"`
	Bot    bool   `json:"bot,omitempty"`
	System bool   `json:"system,omitempty"`
}

// called is how a user calls himself.
func (u user) called() string { return hosted.DisplayName(cmp.Or(u.Global, u.Name)) }

// message is what of a message is read ("Message").
type message struct {
	ID         string       `json:"id"`
	Channel    string       `json:"channel_id"`
	Guild      string       `json:"guild_id"`     // of what is said on a server
	Place      *int         `json:"channel_type"` // of an event: what its channel is
	Webhook    string       `json:"webhook_id"`
	Author     user         `json:"author"`
	Type       int          `json:"type"`
	Flags      int          `json:"flags"`
	Content    string       `json:"content"`
	At         string       `json:"timestamp"`        // texts: one that is no time must not hide the rest
	EditedAt   string       `json:"edited_timestamp"` // "": it was not
	Nonce      any          `json:"nonce"`            // a text or a number
	Files      []attachment `json:"attachments"`
	Mentions   []user       `json:"mentions"`
	Stickers   []sticker    `json:"sticker_items"`
	Poll       *poll        `json:"poll"`
	Snapshots  []snapshot   `json:"message_snapshots"`
	Embeds     []embed      `json:"embeds"`
	References *struct {
		Kind    int    `json:"type"` // 0: an answer, 1: forwarded
		Channel string `json:"channel_id"`
		Message string `json:"message_id"`
	} `json:"message_reference"`
}

type attachment struct {
	ID       string  `json:"id"`
	Name     string  `json:"filename"`
	Kind     string  `json:"content_type"`
	Size     int64   `json:"size"`
	URL      string  `json:"url"`
	Duration float64 `json:"duration_secs"`
}

type sticker struct {
	Name string `json:"name"`
}

type poll struct {
	Question answer `json:"question"`
	Answers  []struct {
		Media answer `json:"poll_media"`
	} `json:"answers"`
}

type answer struct {
	Text string `json:"text"`
}

// snapshot is a message that somebody forwards: without its author ("Message Snapshot").
type snapshot struct {
	Message message `json:"message"`
}

type embed struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

// reaction is MESSAGE_REACTION_ADD and MESSAGE_REACTION_REMOVE.
type reaction struct {
	User    string `json:"user_id"`
	Channel string `json:"channel_id"`
	Message string `json:"message_id"`
	Guild   string `json:"guild_id"`
	Emoji   struct {
		ID   string `json:"id"` // of an emoji of a server's own
		Name string `json:"name"`
	} `json:"emoji"`
}

// removed is MESSAGE_DELETE.
type removed struct {
	ID      string `json:"id"`
	Channel string `json:"channel_id"`
	Guild   string `json:"guild_id"`
}

// typing is TYPING_START.
type typing struct {
	User    string `json:"user_id"`
	Channel string `json:"channel_id"`
	Guild   string `json:"guild_id"`
	At      int64  `json:"timestamp"` // Unix seconds
}

// Types of messages that people write, and flags. All others are told by
// Discord itself: pins, joins, results of polls.
const (
	typeDefault = 0
	typeCall    = 3
	typeReply   = 19

	flagVoice = 1 << 13
)

// said says whether somebody says something with a message of a type.
func said(kind int) bool { return kind == typeDefault || kind == typeReply || kind == typeCall }

// person says whether no program wrote it.
func (m message) person() bool {
	return m.Author.ID != "" && !m.Author.Bot && !m.Author.System && m.Webhook == ""
}

// nonce is what the sender of a message gave it to be known by.
func (m message) nonce() string {
	switch n := m.Nonce.(type) {
	case string:
		return n
	case float64:
		b, _ := json.Marshal(n)
		return string(b)
	}
	return ""
}

// ref is how a message is known: in Message.ID, Refs, Change.Target and Receipt.ProviderID.
func ref(channelID, messageID string) string { return channelID + ":" + messageID }

// newer says whether an id comes after another. They are numbers that grow, as texts.
func newer(x, y string) bool { return len(x) > len(y) || len(x) == len(y) && x > y }

// epoch is where Discord's ids begin ("Snowflakes").
var epoch = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// snowflake is the least id of a time.
func snowflake(at time.Time) int64 { return max(at.Sub(epoch).Milliseconds(), 0) << 22 }
