package slack

import (
	"encoding/json"
	"strings"
)

// envelope is what Slack posts ("The Events API").
type envelope struct {
	Type           string          `json:"type"` // event_callback, url_verification, app_rate_limited
	Challenge      string          `json:"challenge"`
	Team           string          `json:"team_id"` // the workspace the app is installed in
	ID             string          `json:"event_id"`
	Time           int64           `json:"event_time"`
	Event          json.RawMessage `json:"event"`
	Shared         bool            `json:"is_ext_shared_channel"` // with other companies
	Authorizations []struct {
		User string `json:"user_id"`
		Bot  bool   `json:"is_bot"`
	} `json:"authorizations"`
}

// event is what of an event is read.
type event struct {
	Type        string          `json:"type"`
	Subtype     string          `json:"subtype"`
	User        string          `json:"user"`
	Bot         string          `json:"bot_id"`
	UserTeam    string          `json:"user_team"`
	SourceTeam  string          `json:"source_team"`
	Team        string          `json:"team"`
	Channel     string          `json:"channel"`
	ChannelType string          `json:"channel_type"`
	Text        string          `json:"text"`
	TS          string          `json:"ts"` // names a message within its channel, and is its time
	Thread      string          `json:"thread_ts"`
	At          string          `json:"event_ts"`
	Blocks      json.RawMessage `json:"blocks"`
	Files       []file          `json:"files"`
	Shares      []share         `json:"attachments"`
	Edited      *struct {
		TS string `json:"ts"`
	} `json:"edited"`

	// Of message_changed and message_deleted.
	Message   *event `json:"message"`
	Previous  *event `json:"previous_message"`
	DeletedTS string `json:"deleted_ts"`

	// Of reactions.
	Reaction string `json:"reaction"`
	ItemUser string `json:"item_user"`
	Item     struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	} `json:"item"`

	// Of tokens_revoked.
	Tokens struct {
		Bot []string `json:"bot"`
	} `json:"tokens"`
}

type file struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	Type     string `json:"mimetype"`
	Size     int64  `json:"size"`
	Mode     string `json:"mode"`
	Access   string `json:"file_access"`
	URL      string `json:"url_private"`
	Download string `json:"url_private_download"`
	External bool   `json:"is_external"`
}

// share is a message that somebody forwards, or the preview of a link.
type share struct {
	Fallback string `json:"fallback"`
	Text     string `json:"text"`
	Author   string `json:"author_name"`
	Message  bool   `json:"is_msg_unfurl"`
	Share    bool   `json:"is_share"`
}

// Types of events and kinds of messages.
const (
	typeMessage     = "message"
	typeMention     = "app_mention"
	typeReacted     = "reaction_added"
	typeUnreacted   = "reaction_removed"
	typeUninstalled = "app_uninstalled"
	typeRevoked     = "tokens_revoked"

	subChanged   = "message_changed"
	subDeleted   = "message_deleted"
	subTombstone = "tombstone" // the message is deleted, its thread is not
)

// said are the kinds of messages that people say.
var said = map[string]bool{"": true, "file_share": true, "me_message": true, "thread_broadcast": true}

// bot is the user that the app is in the workspace; "" where Slack does not say.
func (e envelope) bot() string {
	for _, a := range e.Authorizations {
		if a.Bot {
			return a.User
		}
	}
	return ""
}

// person says whether somebody said it, and no program.
func (e event) person() bool {
	return e.Bot == "" && e.User != "" && e.User != "USLACKBOT" && e.Subtype != "bot_message"
}

// direct says whether only its sender and the app read it.
func direct(channelID string) bool { return strings.HasPrefix(channelID, "D") }

// messageID is how a message is known: in Message.ID, Refs, Change.Target and Receipt.ProviderID.
func messageID(channelID, ts string) string { return channelID + ":" + ts }
