package matrix_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/matrix"
)

func stored(t testing.TB, name string) channel.Raw {
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return rawOf(b)
}

func rawOf(b []byte) channel.Raw {
	return channel.Raw{
		Channel: matrix.Name, Inbox: "desk", ProviderID: "p", ReceivedAt: time.Unix(1764240000, 0).UTC(), ContentType: matrix.ContentType, Body: b,
	}
}

func parsed(t testing.TB, name string) channel.Item {
	t.Helper()
	items, err := matrix.Parser{}.Parse(stored(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return items[0]
}

func TestAdaIsHerUserIDEverywhere(t *testing.T) {
	t.Parallel()
	m := parsed(t, "text").Message
	want := channel.Address{Kind: "matrix", Address: "@ada:far.example", Name: "Ada Lovelace"}
	if m.From != want || m.Assurance != 2 || m.Evidence != "matrix user, signed by his homeserver" || m.ID != "!r:story.test/$e1" || !m.OccurredAt.Equal(time.UnixMilli(1764235200123)) {
		t.Errorf("%+v", m)
	}
}

func TestContentOfEachKind(t *testing.T) {
	t.Parallel()
	image := channel.Attachment{Name: "photo.jpg", ContentType: "image/jpeg", Size: 99432, Remote: "mxc://far.example/abc"}
	for name, want := range map[string]channel.Content{
		"text": {Text: "Where is it? שלום 👋"},
		"formatted": {
			Text: "**Red** or [blue](https://x.test/)",
			HTML: `<strong>Red</strong> or <a href="https://x.test/" rel="nofollow noreferrer noopener" target="_blank">blue</a>`,
		},
		"reply_fallback":        {Text: "Blue please", Quoted: "Red or\nblue?", HTML: "<b>Blue</b> please"},
		"reply_quoting_himself": {Text: "> is what you wrote\nnot what I wrote"},
		"emote":                 {Text: "* Ada Lovelace waves"},
		"notice":                {Text: "I am a program"},
		"image":                 {Attachments: []channel.Attachment{image}},
		"image_caption":         {Text: "Broken here", Attachments: []channel.Attachment{image}},
		"file_encrypted":        {Attachments: []channel.Attachment{{Name: "a.pdf", ContentType: "application/pdf", Missing: "the file is encrypted"}}},
		"video_too_large":       {Attachments: []channel.Attachment{{Name: "v.mp4", ContentType: "video/mp4", Size: 204857600, Missing: "larger than 100 MB"}}},
		"audio_voice":           {Attachments: []channel.Attachment{{Name: "Voice message", ContentType: "audio/ogg", Size: 1500, Remote: "mxc://far.example/v1"}}},
		"sticker":               {Text: "A cat", Attachments: []channel.Attachment{{Name: "A cat", ContentType: "image/png", Size: 9, Remote: "mxc://far.example/cat"}}},
		"location":              {Text: "Location: geo:52.52,13.405\nAlexanderplatz"},
		"unknown_kind":          {Unparsed: "a kind of Matrix message that is not known here"},
		"encrypted":             {Unparsed: "the message is encrypted: this inbox cannot read encrypted rooms"},
		"redacted_before":       {Unparsed: "the message was deleted before it came here"},
		"call":                  {Text: "Tried to call; calls are not taken here."},
		"group":                 {Text: "Ada Lovelace: hello all"},
	} {
		if got := parsed(t, name).Message.Content; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestAnswersNameWhatTheyAnswer(t *testing.T) {
	t.Parallel()
	const room = "!r:story.test/"
	for name, want := range map[string]struct {
		thread string
		refs   []string
	}{
		"reply_fallback": {"", []string{room + "$q1"}},
		"thread":         {room + "$root", []string{room + "$root"}},
		"thread_reply":   {room + "$root", []string{room + "$q9", room + "$root"}},
	} {
		if m := parsed(t, name).Message; m.Thread != want.thread || !reflect.DeepEqual(m.References, want.refs) {
			t.Errorf("%s: %q %v", name, m.Thread, m.References)
		}
	}
}

func TestChangesNameTheirMessage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		action channel.Action
		emoji  string
		text   string
	}{
		"edit":              {channel.Edited, "", "Green please"},
		"reaction":          {channel.Reacted, "👍", ""},
		"redaction":         {channel.Deleted, "", ""},
		"redaction_v11":     {channel.Deleted, "", ""},
		"reaction_redacted": {channel.Unreacted, "👍", ""},
	} {
		c := parsed(t, name).Change
		if c == nil || c.Action != want.action || c.Emoji != want.emoji || c.Content.Text != want.text || c.Target != "!r:story.test/$q1" ||
			c.From.Address != "@ada:far.example" || c.Assurance != 2 || c.ID != "!r:story.test/$e1" {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestWhatWakesNobody(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{"notice": {"automatic", "auto_reply"}, "left": {"automatic", "auto_reply"}, "group": {"list", "auto_reply"}} {
		if m := parsed(t, name).Message; !reflect.DeepEqual(m.Flags, want) {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if m := parsed(t, "group").Message; m.From.Kind != "matrix_room" || m.From.Scope != "desk" || m.Assurance != 0 {
		t.Errorf("%+v", m)
	}
}

func TestAClockThatIsWrong(t *testing.T) {
	t.Parallel()
	if m := parsed(t, "far_future").Message; !m.OccurredAt.Equal(time.Unix(1764240000, 0)) {
		t.Error(m.OccurredAt)
	}
}

func TestWhatIsNoEventIsAnError(t *testing.T) {
	t.Parallel()
	for _, raw := range []channel.Raw{stored(t, "no_sender"), rawOf([]byte(`{}`)), rawOf([]byte(`{"room":"!r:x","event":{"event_id":"$1","sender":"@a:b","type":"m.reaction","content":{}}}`)), {Body: []byte("{}")}} {
		if items, err := (matrix.Parser{}).Parse(raw); err == nil {
			t.Errorf("%s: %+v", raw.Body, items)
		}
	}
}

func FuzzParse(f *testing.F) {
	channeltest.Fuzz(f, matrix.Parser{}, rawOf(nil), "testdata/*.json")
}
