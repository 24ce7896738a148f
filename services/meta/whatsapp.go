package meta

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// whatsAppType is the content type of a stored WhatsApp input.
const whatsAppType = "application/vnd.weftline.whatsapp+json"

// Limits of the Cloud API ("Messages", "Media").
const (
	maxWhatsAppText    = 4096
	maxWhatsAppCaption = 1024
	maxWhatsAppParts   = 10
	maxDocument        = 100 << 20
	replyWindow        = 24 * time.Hour
)

var whatsAppKind = kind{
	probe: "display_phone_number",
	about: "A WhatsApp business number on Meta's Cloud API.",
	needs: []string{
		"An app in Meta's App Dashboard with WhatsApp, and its app secret", "A permanent token of a system user",
		"The phone number's id and the WhatsApp Business Account's id (WhatsApp, API Setup)",
	},
	recipient: inbox.Recipient{Kind: kindPhone, Label: "Phone number", Help: "With +. It must have written to this number in the last 24 hours: WhatsApp delivers nothing else without a template."},
	settings: shared("https://graph.facebook.com",
		"Phone number ID", "In the App Dashboard under WhatsApp, API Setup: the id below the number, not the number itself.",
		"A permanent token of a system user (Business settings, System users) with whatsapp_business_messaging and whatsapp_business_management.",
		inbox.Setting{
			Key: keyRead, Label: "Mark as read", Default: on, Values: []string{on, off},
			Help: "on: the customer sees the blue ticks when his message is answered. off: never.", Advanced: true,
		},
		inbox.Setting{Key: keyBusiness, Label: "WhatsApp Business Account ID", Help: "In the App Dashboard under WhatsApp, API Setup. Empty: its templates cannot be listed, and 24 hours after a customer's last message nothing can be sent from the console."},
		inbox.Setting{Key: keyNumber, Label: "Own number", Help: "Such as +15005550006. It is never taken for a customer's.", Advanced: true},
		inbox.Setting{Key: keyRegion, Label: "Country", Help: "Where numbers without a country's code are dialled, such as DE. Empty: the country of the own number.", Advanced: true}),
}

// WhatsAppAdapter is the WhatsApp channel. Safe for concurrent use.
type WhatsAppAdapter struct {
	*platform
	listed templates
}

var _ interface {
	channel.Adapter
	channel.Fetcher
	channel.Looker
	channel.Templater
} = (*WhatsAppAdapter)(nil)

// NewWhatsApp makes the adapter; requests are taken from the first moment.
func NewWhatsApp(d hosted.Deps) *WhatsAppAdapter {
	a := &WhatsAppAdapter{}
	a.platform = open(WhatsApp, whatsAppKind, d, a.split)
	return a
}

// WhatsAppNumber is an inbox's own number in its settings, "" where none is given, and the
// numbers as they are read there.
func WhatsAppNumber(settings map[string]string) (string, handleid.Normaliser) {
	n := strings.TrimSpace(settings[keyNumber])
	return n, handleid.For(settings[keyRegion], n)
}

// WhatsAppChannel describes the settings of a WhatsApp inbox.
func WhatsAppChannel(client *http.Client) inbox.Channel {
	return whatsAppKind.describe(WhatsApp, client)
}

// Capabilities are the Cloud API's.
func (a *WhatsAppAdapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxWhatsAppText, Parts: maxWhatsAppParts,
		Attachments: true, AttachmentLimit: maxDocument, AttachmentsPerMessage: maxWhatsAppParts,
		ReplyWindow: replyWindow, Templates: true,
		Reactions: true, Delivered: true, ReadReceipts: true,
	}
}

// Sender sends for one inbox; false: there is none such.
func (a *WhatsAppAdapter) Sender(id string) (channel.Sender, bool) { return a, a.there(id) }

// waValue is a change's value, its messages and statuses as they came.
type waValue struct {
	Product  string            `json:"messaging_product"`
	Metadata waMetadata        `json:"metadata"`
	Contacts []json.RawMessage `json:"contacts,omitempty"`
	Messages []json.RawMessage `json:"messages,omitempty"`
	Statuses []json.RawMessage `json:"statuses,omitempty"`
	Errors   []json.RawMessage `json:"errors,omitempty"`
}

type waMetadata struct {
	Display string `json:"display_phone_number"`
	PhoneID string `json:"phone_number_id"`
}

// split makes one input of each message and of each status of a message of
// ours. What is not about messages (templates, quality, accounts) and the statuses of what
// others sent through the number are nothing to keep.
func (a *WhatsAppAdapter) split(in inbox.Inbox, c config, r *hosted.Request) (out []channel.Raw) {
	var b batch
	if json.Unmarshal(r.Body, &b) != nil || b.Object != "whatsapp_business_account" {
		return []channel.Raw{hosted.Whole(r)}
	}
	for _, e := range b.Entry {
		for _, ch := range e.Changes {
			var v waValue
			if ch.Field != "messages" {
				continue
			}
			if json.Unmarshal(ch.Value, &v) != nil {
				out = append(out, single(b.Object, whatsAppType, "", entry{ID: e.ID, Changes: []change{ch}}))
				continue
			}
			id, found := a.mineOr(in, c, v.Metadata.PhoneID)
			for _, m := range v.Messages {
				raw := part(b.Object, e.ID, waValue{Product: v.Product, Metadata: v.Metadata, Contacts: v.Contacts, Messages: []json.RawMessage{m}})
				out = append(out, place(peekWhatsApp(raw, e.ID, m), id, found))
			}
			for _, s := range v.Statuses {
				var status waStatus
				if json.Unmarshal(s, &status) != nil || !a.ours(id, status.Mark) {
					continue
				}
				a.heard.note(id, status.Mark, status.ID)
				raw := part(b.Object, e.ID, waValue{Product: v.Product, Metadata: v.Metadata, Statuses: []json.RawMessage{s}})
				raw.ProviderID = "status:" + hosted.Clip(status.ID, 200) + ":" + hosted.Clip(status.Status, 20)
				out = append(out, place(raw, id, found))
			}
		}
	}
	return out
}

func part(object, account string, v waValue) channel.Raw {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // what was decoded can be encoded
	}
	return single(object, whatsAppType, "", entry{ID: account, Changes: []change{{"messages", b}}})
}

// peekWhatsApp names a message by its id and orders it by its sender.
func peekWhatsApp(raw channel.Raw, account string, m json.RawMessage) channel.Raw {
	var head waMessage
	if json.Unmarshal(m, &head) != nil {
		return raw
	}
	if head.ID != "" {
		raw.ProviderID = hosted.Clip(head.ID, 250)
	}
	if from, ok := head.sender(account); ok {
		raw.Peek = from
	}
	return raw
}
