package telegram_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/telegram"
)

func stored(t testing.TB, name string) channel.Raw {
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return channel.Raw{
		Channel: telegram.Name, Inbox: "bot", ProviderID: "p-" + name, ReceivedAt: time.Unix(1764240000, 0).UTC(),
		ContentType: telegram.ContentType, Body: b,
	}
}

func parsed(t testing.TB, name string) channel.Item {
	t.Helper()
	items, err := telegram.Parser{}.Parse(stored(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return items[0]
}

func TestAdaIsHerNumberInThisInbox(t *testing.T) {
	t.Parallel()
	m := parsed(t, "photo_caption").Message
	want := channel.Address{Kind: "telegram", Scope: "bot", Address: "700001", Name: "Ada Lovelace"}
	if m.From != want || m.Assurance != 2 || m.ID != "700001:1365" || !m.OccurredAt.Equal(time.Unix(1764235200, 0)) {
		t.Errorf("%+v", m)
	}
}

func TestContentOfEachKind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Content{
		"photo_caption": {
			Text: "Broken here, see *left*", HTML: "<b>Broken</b> here, see *left*",
			Attachments: []channel.Attachment{{Name: "photo.jpg", ContentType: "image/jpeg", Size: 99432, Remote: "AgACAgIAAxkBAAIlarge"}},
		},
		"document_too_large": {Attachments: []channel.Attachment{{
			Name: "video of the leak.mov", ContentType: "video/quicktime", Size: 20971521,
			Missing: "larger than 20 MB: Telegram does not hand it over to bots",
		}}},
		"reply_with_quote": {
			Text: "Blue 💙 please", Quoted: "Red or blue?",
			HTML: `Blue 💙 <a href="https://shop.test/blue?a=1&amp;b=2" rel="noopener noreferrer nofollow">please</a>`,
		},
		"forwarded":     {Text: "They promised it for Monday", Subject: "Forwarded from Charles B."},
		"start_payload": {Text: "/start order_1042"},
		"sticker": {Text: "😂", Attachments: []channel.Attachment{{
			Name: "sticker.tgs", ContentType: "application/gzip", Size: 12345, Remote: "CAACAgIAAxkBAAIst",
		}}},
		"voice":        {Attachments: []channel.Attachment{{Name: "voice.ogg", ContentType: "audio/ogg", Size: 15000, Remote: "AwACAgIAAxkBAAIvo"}}},
		"venue":        {Text: "Place: Alexanderplatz, Berlin (geo:52.520000,13.405000)"},
		"pressed":      {Text: "pressed: Yes 🙂"},
		"unknown_kind": {Unparsed: "a kind of Telegram message that is not known here"},
	} {
		if got := parsed(t, name).Message.Content; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestRepliesNameWhatTheyAnswer(t *testing.T) {
	t.Parallel()
	if m := parsed(t, "reply_with_quote").Message; !reflect.DeepEqual(m.References, []string{"700001:1360"}) {
		t.Errorf("%v", m.References)
	}
	if m := parsed(t, "pressed").Message; !reflect.DeepEqual(m.References, []string{"700001:1375"}) {
		t.Errorf("%v", m.References)
	}
}

// The number on a card that somebody sends of himself is what he says, and no proof.
func TestAnOwnCardIsNoProof(t *testing.T) {
	t.Parallel()
	m := parsed(t, "contact_own").Message
	if m.ClaimsHandle == nil || m.ClaimsHandle.Address != "+4930123456" || !reflect.DeepEqual(m.Flags, []string{"offline_capture"}) {
		t.Errorf("%+v", m)
	}
}

func TestAGroupIsNobodysAddress(t *testing.T) {
	t.Parallel()
	m := parsed(t, "group").Message
	if m.From.Kind != "telegram_group" || m.Assurance != 0 || m.Content.Text != "Ada: /help@shop_bot" || !reflect.DeepEqual(m.Flags, []string{"list", "auto_reply"}) {
		t.Errorf("%+v", m)
	}
}

func TestBlockingIsSaidAndWakesNothing(t *testing.T) {
	t.Parallel()
	m := parsed(t, "blocked").Message
	if !strings.Contains(m.Content.Text, "has blocked the bot") || m.Consent != "" || !reflect.DeepEqual(m.Flags, []string{"automatic", "auto_reply"}) {
		t.Errorf("%+v", m)
	}
}

func TestAReactionReplacedIsTakenBackAndGiven(t *testing.T) {
	t.Parallel()
	items, err := telegram.Parser{}.Parse(stored(t, "reaction_replaced"))
	if err != nil || len(items) != 2 {
		t.Fatalf("%v, %v", items, err)
	}
	was, is := items[0].Change, items[1].Change
	if was.Action != channel.Unreacted || was.Emoji != "❤" || is.Action != channel.Reacted || is.Emoji != "👍" || is.Target != "700001:1360" || was.ID == is.ID {
		t.Errorf("%+v, %+v", was, is)
	}
}

func TestEditedIsAChangeOfItsMessage(t *testing.T) {
	t.Parallel()
	c := parsed(t, "edited").Change
	if c.Target != "700001:1367" || c.Action != channel.Edited || c.Content.Text != "Green please" || !c.OccurredAt.Equal(time.Unix(1764235213, 0)) {
		t.Errorf("%+v", c)
	}
}

// Formatting counts UTF-16 units, nests, and may be nonsense.
func TestMarkup(t *testing.T) {
	t.Parallel()
	for entities, want := range map[string]string{
		`{"type":"bold","offset":3,"length":10},{"type":"italic","offset":9,"length":2}`:  "👍 <b>&lt;a&gt; 👍<i>x\n</i>yz</b>",
		`{"type":"bold","offset":0,"length":2},{"type":"code","offset":1,"length":5}`:     "<b>👍</b> &lt;a&gt; 👍x\nyz",
		`{"type":"bold","offset":0,"length":99}`:                                          "",
		`{"type":"bold","offset":1,"length":3}`:                                           "",
		`{"type":"bold","offset":-1,"length":2}`:                                          "",
		`{"type":"bold","offset":9223372036854775807,"length":9223372036854775807}`:       "",
		`{"type":"text_link","offset":0,"length":2,"url":"javascript:alert(1)"}`:          "",
		`{"type":"text_link","offset":0,"length":2,"url":"https://x.test/\"onclick=\"a"}`: `<a href="https://x.test/%22onclick=%22a" rel="noopener noreferrer nofollow">👍</a> &lt;a&gt; 👍x` + "\nyz",
		`{"type":"hashtag","offset":0,"length":2}`:                                        "",
	} {
		raw := stored(t, "voice")
		raw.Body = []byte(`{"update_id":1,"message":{"message_id":1,"chat":{"id":700001,"type":"private"},"date":1,"text":"👍 <a> 👍x\nyz","entities":[` + entities + `]}}`)
		items, err := telegram.Parser{}.Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", entities, err)
			continue
		}
		if got := items[0].Message.Content.HTML; got != strings.ReplaceAll(want, "\n", "<br>") {
			t.Errorf("%s:\n got %q\nwant %q", entities, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	channeltest.Fuzz(f, telegram.Parser{}, channel.Raw{
		Channel: telegram.Name, Inbox: "bot", ProviderID: "p", ReceivedAt: time.Unix(1764240000, 0), ContentType: telegram.ContentType,
	}, "testdata/*.json")
}
