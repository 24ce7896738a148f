package discord_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/discord"
)

var received = time.Unix(1764240000, 0).UTC()

func rawOf(b []byte) channel.Raw {
	return channel.Raw{Channel: discord.Name, Inbox: "desk", ProviderID: "p", ReceivedAt: received, ContentType: discord.ContentType, Body: b}
}

func parse(t testing.TB, name string) (channel.Item, error) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	items, err := discord.Parser{}.Parse(rawOf(b))
	if err != nil {
		return channel.Item{}, err
	}
	return items[0], nil
}

func parsed(t testing.TB, name string) channel.Item {
	t.Helper()
	it, err := parse(t, name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return it
}

func address(name string) channel.Address {
	return channel.Address{Kind: "discord", Scope: "desk", Address: "700001", Name: name}
}

func TestWhoWroteAndWhen(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"text": "Ada Lovelace", "username": "ada"} {
		m := parsed(t, name).Message
		if m.From != address(want) || m.Assurance != 2 || m.ID != "500:1110000000000000001" || !reflect.DeepEqual(m.Refs, []string{m.ID}) ||
			!m.OccurredAt.Equal(time.Date(2025, 11, 27, 9, 20, 0, 123e6, time.UTC)) {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if m := parsed(t, "future").Message; !m.OccurredAt.Equal(received) {
		t.Error(m.OccurredAt)
	}
}

func remote(attachment, name string) string {
	return "500 1110000000000000001 " + attachment + " https://cdn.discordapp.com/attachments/500/" + attachment + "/" + name + "?ex=1&is=2&hm=3"
}

func TestContentOfEachKind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Content{
		"text":     {Text: "Where is it? שלום 👋"},
		"markdown": {Text: "Hi @The Shop, **now** *really*: :think: :dance: 2025-11-27 09:20 UTC #77 @78 /help the page (https://x.test/a) https://y.test `<@900> \\*` ¯\\_(ツ)_/¯ @701"},
		"reply":    {Text: "Where is it? שלום 👋"},
		"forwarded": {Text: "Forwarded message:\n\n**Sale** on Monday", Attachments: []channel.Attachment{
			{Name: "sale.png", ContentType: "image/png", Size: 5, Remote: remote("88", "sale.png")},
		}},
		"files": {Attachments: []channel.Attachment{
			{Name: "a.png", ContentType: "image/png", Size: 5, Remote: remote("81", "a.png")},
			{Name: "passwd", ContentType: "image/png", Size: 5, Remote: remote("82", "../../etc/passwd")},
			{Name: "x", ContentType: "image/png", Size: 5, Missing: "Discord names no address of it"},
			{Name: "nowhere", Missing: "Discord names no address of it"},
		}},
		"voice":   {Attachments: []channel.Attachment{{Name: "voice message.ogg", ContentType: "audio/ogg", Size: 5, Remote: remote("85", "voice-message.ogg")}}},
		"sticker": {Text: "Sticker: Wave"},
		"poll":    {Text: "Poll: Which?\n- Red\n- Blue"},
		"call":    {Text: "Tried to call; calls are not taken here."},
		"embed":   {Text: "A score\n4711 points"},
		"preview": {Text: "https://x.test/a_b"},
		"empty":   {Unparsed: "a Discord message without text or file"},
	} {
		if got := parsed(t, name).Message.Content; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestAnswersAndWhatIsForwarded(t *testing.T) {
	t.Parallel()
	if m := parsed(t, "reply").Message; !reflect.DeepEqual(m.References, []string{"500:1100000000000000001"}) || m.Flags != nil {
		t.Errorf("%+v", m)
	}
	// What is forwarded comes from a channel that is none of ours: it answers nothing.
	if m := parsed(t, "forwarded").Message; m.References != nil || !reflect.DeepEqual(m.Flags, []string{"forwarded"}) {
		t.Errorf("%+v", m)
	}
}

func TestChangesNameTheirMessage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Change{
		"edited":         {ID: "edit:500:1110000000000000001@2025-11-27T09:25:00.123000+00:00", Target: "500:1110000000000000001", Action: channel.Edited, OccurredAt: time.Date(2025, 11, 27, 9, 25, 0, 123e6, time.UTC), Content: channel.Content{Text: "Green please"}},
		"deleted":        {ID: "delete:500:1110000000000000001", Target: "500:1110000000000000001", Action: channel.Deleted, OccurredAt: received},
		"reacted":        {ID: "reaction:s:7", Target: "500:1100000000000000001", Action: channel.Reacted, Emoji: "🔥", OccurredAt: received},
		"reacted_custom": {ID: "reaction:s:8", Target: "500:1100000000000000001", Action: channel.Reacted, Emoji: ":party:", OccurredAt: received},
		"unreacted":      {ID: "reaction:s:9", Target: "500:1100000000000000001", Action: channel.Unreacted, Emoji: "🔥", OccurredAt: received},
	} {
		want.From, want.Assurance, want.Evidence = address("Ada Lovelace"), 2, "discord user"
		if c := parsed(t, name).Change; !reflect.DeepEqual(*c, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, *c, want)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"no_author", "no_id", "another_reacts", "unknown_kind", "edit_without_time"} {
		if it, err := parse(t, name); err == nil {
			t.Errorf("%s: %+v", name, it)
		}
	}
}

func FuzzParse(f *testing.F) {
	channeltest.Fuzz(f, discord.Parser{}, rawOf(nil), "testdata/*.json")
}
