package mastodon_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/mastodon"
)

var received = time.Unix(1764240000, 0).UTC()

func rawOf(b []byte) channel.Raw {
	return channel.Raw{Channel: mastodon.Name, Inbox: "desk", ProviderID: "p", ReceivedAt: received, ContentType: mastodon.ContentType, Body: b}
}

func parse(t testing.TB, name string) (channel.Item, error) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	items, err := mastodon.Parser{}.Parse(rawOf(b))
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

func address(a, name string) channel.Address {
	return channel.Address{Kind: "mastodon", Scope: "desk", Address: a, Name: name}
}

func TestEverybodyHasAHost(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Address{
		"direct": address("ada@far.test", "Ada Lovelace"),
		"local":  address("carol@social.test", "@carol@social.test"),
	} {
		if m := parsed(t, name).Message; m.From != want || m.Assurance != 2 || m.ID != "110001" || !m.OccurredAt.Equal(time.Date(2025, 11, 27, 9, 20, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestContentOfEachKind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Content{
		"direct":      {Text: "Where is it? שלום 👋"},
		"only_called": {Text: "@shop"},
		"warned":      {Subject: "Spiders", Text: "it bites"},
		"poll":        {Text: "Which?\n\nPoll:\n- Red\n- Blue"},
		"media": {Text: "@shop", Attachments: []channel.Attachment{
			{Name: "b.png", Remote: "https://files.social.test/media/a/b.png"},
			{Name: "x.ogg", Remote: "https://far.test/x.ogg"},
			{Name: "alert(1)", Missing: "the instance names no file"},
		}},
		"empty": {Unparsed: "a kind of post that is not known here"},
	} {
		got := parsed(t, name).Message.Content
		if name == "media" {
			got.Attachments[2].Name = "alert(1)" // whatever it is called
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestNothingThatActsIsLeft(t *testing.T) {
	t.Parallel()
	if c := parsed(t, "script").Message.Content; c.Text != "bold link" || c.HTML != "" {
		t.Errorf("%+v", c)
	}
}

func TestAPublicAnswer(t *testing.T) {
	t.Parallel()
	m := parsed(t, "public_reply").Message
	if m.Thread != "109999" || !reflect.DeepEqual(m.References, []string{"110000"}) || !reflect.DeepEqual(m.CC, []channel.Address{address("bob@social.test", "")}) {
		t.Errorf("%+v", m)
	}
	if m.Content.Text != "Still broken\nreally\n\nSee https://x.test/a?b=1" || m.Content.HTML == "" {
		t.Errorf("%q %q", m.Content.Text, m.Content.HTML)
	}
}

func TestChangesNameTheirPost(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Change{
		"edited":    {Target: "110001", Action: channel.Edited, OccurredAt: time.Date(2025, 11, 27, 9, 25, 0, 123e6, time.UTC), Content: channel.Content{Text: "Green please"}},
		"deleted":   {Target: "110001", Action: channel.Deleted, OccurredAt: received},
		"favourite": {Target: "900001", Action: channel.Reacted, Emoji: "⭐", OccurredAt: time.Date(2025, 11, 27, 9, 30, 0, 0, time.UTC)},
	} {
		c := parsed(t, name).Change
		want.ID, want.From, want.Assurance, want.Evidence = c.ID, address("ada@far.test", "Ada Lovelace"), 2, c.Evidence
		if c.ID == "" || !reflect.DeepEqual(*c, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, *c, want)
		}
	}
}

func TestABotWakesNobody(t *testing.T) {
	t.Parallel()
	if m := parsed(t, "bot").Message; !reflect.DeepEqual(m.Flags, []string{"automatic", "auto_reply"}) {
		t.Errorf("%+v", m)
	}
}

func TestAClockThatIsWrong(t *testing.T) {
	t.Parallel()
	if m := parsed(t, "future").Message; !m.OccurredAt.Equal(received) {
		t.Error(m.OccurredAt)
	}
}

func TestWhatIsNoPostIsAnError(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"no_account", "unknown_kind"} {
		if it, err := parse(t, name); err == nil {
			t.Errorf("%s: %+v", name, it)
		}
	}
}

func FuzzParse(f *testing.F) {
	channeltest.Fuzz(f, mastodon.Parser{}, rawOf(nil), "testdata/*.json")
}
