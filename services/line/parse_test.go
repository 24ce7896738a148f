package line_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/line"
)

func stored(t testing.TB, name string) channel.Raw {
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return channel.Raw{
		Channel: line.Name, Inbox: "shop", ProviderID: "p-" + name, ReceivedAt: time.Unix(1764240000, 0).UTC(),
		ContentType: line.ContentType, Body: b,
	}
}

func parsed(t testing.TB, name string) channel.Item {
	t.Helper()
	items, err := line.Parser{}.Parse(stored(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return items[0]
}

func TestAdaIsHerIDInThisInbox(t *testing.T) {
	t.Parallel()
	m := parsed(t, "text_emoji_mention").Message
	want := channel.Address{Kind: "line", Scope: "shop", Address: ada}
	if m.From != want || m.Assurance != 2 || m.ID != "444573844083572737" || !m.OccurredAt.Equal(time.UnixMilli(1764235200123)) ||
		!reflect.DeepEqual(m.References, []string{"461230966842064897"}) || !reflect.DeepEqual(m.Refs, []string{m.ID}) {
		t.Errorf("%+v", m)
	}
}

func TestContentOfEachKind(t *testing.T) {
	t.Parallel()
	const id = "444573844083572737"
	one := func(a channel.Attachment) channel.Content {
		return channel.Content{Attachments: []channel.Attachment{a}}
	}
	for name, want := range map[string]channel.Content{
		"text_emoji_mention": {Text: "@Shop Good Morning!! (love) 👋"},
		"image":              one(channel.Attachment{Name: "image.jpg", ContentType: "image/jpeg", Remote: id}),
		"image_external":     one(channel.Attachment{Name: "image.jpg", ContentType: "image/jpeg", Remote: "https://shop.test/a.jpg"}),
		"image_nowhere":      one(channel.Attachment{Name: "image.jpg", ContentType: "image/jpeg", Missing: "it is not at LINE, and its address is not given"}),
		"video":              one(channel.Attachment{Name: "video.mp4", ContentType: "video/mp4", Remote: id}),
		"audio":              one(channel.Attachment{Name: "audio.m4a", ContentType: "audio/mp4", Remote: id}),
		"file":               one(channel.Attachment{Name: "invoice 7.pdf", Size: 2138, Remote: id}),
		"location":           {Text: "Place: my location, 1-3 Kioicho, Chiyoda-ku, Tokyo (geo:35.679660,139.736690)"},
		"sticker":            {Text: "Sticker: cony, sally, Staring “Let's go”"},
		"postback":           {Text: "pressed: order=1042&action=cancel\ndatetime: 2026-12-25T01:00"},
		"unknown_kind":       {Unparsed: "a kind of LINE message that is not known here"},
	} {
		if got := parsed(t, name).Message.Content; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestUnsentIsADeletion(t *testing.T) {
	t.Parallel()
	c := parsed(t, "unsend").Change
	if c.Action != channel.Deleted || c.Target != "444573844083572737" || c.From.Address != ada || c.Assurance != 2 || c.ID != "p-unsend" {
		t.Errorf("%+v", c)
	}
}

// LINE takes messages to who has blocked the account and shows them to nobody, so blocking is a wish that the hub keeps to.
func TestBlockingIsOptingOut(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.ConsentWish{"unfollow": channel.OptOut, "unblocked": channel.OptIn, "sticker": ""} {
		m := parsed(t, name).Message
		if m.Consent != want || (want != "") != slices.Contains(m.Flags, "auto_reply") {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestAGroupIsNobodysAddress(t *testing.T) {
	t.Parallel()
	m := parsed(t, "group").Message
	if m.From.Kind != "line_group" || m.Assurance != 0 || !reflect.DeepEqual(m.Flags, []string{"list", "auto_reply"}) {
		t.Errorf("%+v", m)
	}
	if c := parsed(t, "room_unsend").Change; c.From.Kind != "line_group" || c.Assurance != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"type":"somethingNew","source":{"userId":"U1"}}`:                             `type: "somethingNew" is not known`,
		`{"type":"message","source":{"userId":"U1"}}`:                                  "message.id: is missing",
		`{"type":"message"}`:                                                           "source.userId: is missing",
		`{"type":"unsend","source":{"userId":"U1"}}`:                                   "unsend.messageId: is missing",
		`{"type":"postback","source":{"userId":"U1"}}`:                                 "postback: is missing",
		`{"type":"message","source":{"userId":"` + strings.Repeat("U", 101) + `"}}`:    "longer than 100",
		`{"type":"message","source":{"userId":"U1"},"message":{"id":7,"type":"text"}}`: "cannot unmarshal",
	} {
		raw := stored(t, "image")
		raw.Body = []byte(body)
		if items, err := (line.Parser{}).Parse(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", body, items, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	channeltest.Fuzz(f, line.Parser{}, channel.Raw{
		Channel: line.Name, Inbox: "shop", ProviderID: "p", ReceivedAt: time.Unix(1764240000, 0), ContentType: line.ContentType,
	}, "testdata/*.json")
}
