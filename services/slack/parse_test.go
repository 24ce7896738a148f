package slack_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/slack"
)

func stored(t testing.TB, name string) channel.Raw {
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return channel.Raw{
		Channel: slack.Name, Inbox: "shop", ProviderID: "p-" + name, ReceivedAt: time.Unix(1764240000, 0).UTC(),
		ContentType: slack.ContentType, Body: b,
	}
}

func parsed(t testing.TB, name string) channel.Item {
	t.Helper()
	items, err := slack.Parser{}.Parse(stored(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return items[0]
}

func TestAdaIsHerIDInHerWorkspace(t *testing.T) {
	t.Parallel()
	m := parsed(t, "text_mrkdwn").Message
	want := channel.Address{Kind: "slack", Scope: "T0SHOP", Address: "U0ADA"}
	if m.From != want || m.Assurance != 2 || m.ID != "D0ADA:1764235200.000123" || m.Thread != "" || m.Content.Subject != "" ||
		!m.OccurredAt.Equal(time.Unix(1764235200, 123_000)) {
		t.Errorf("%+v", m)
	}
	m = parsed(t, "shared_channel").Message
	if want := (channel.Address{Kind: "slack", Scope: "T0EXT", Address: "U0EXT"}); m.From != want || m.Content.Subject != "In a channel shared with another company" {
		t.Errorf("of another company: %+v", m)
	}
}

func TestThreadsOfChannelsAreConversations(t *testing.T) {
	t.Parallel()
	root, reply := parsed(t, "mention").Message, parsed(t, "thread_reply").Message
	if root.Thread != "C0HELP:1764235200.000200" || reply.Thread != root.Thread || root.Content.Text != "where is it?" || root.Content.Subject != "In a channel" ||
		!reflect.DeepEqual(reply.References, []string{root.ID}) || root.References != nil {
		t.Errorf("%+v\n%+v", root, reply)
	}
	// Of direct messages they are not: the customer is one, and so is his conversation.
	if m := parsed(t, "direct_thread").Message; m.Thread != "" || !reflect.DeepEqual(m.References, []string{"D0ADA:1764235200.000123"}) {
		t.Errorf("%+v", m)
	}
}

func TestContentOfEachKind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Content{
		"text_mrkdwn": {Text: "*Hi* <b> &amp; @U0BOB @cy #help #C0X @here @team Nov 27 the page (https://x.test/a?b=1&c=2) https://x.test/ http://x.test ada@x.test call (+4930) 👋🏼 👋 :shop: <"},
		"file_share": {Attachments: []channel.Attachment{{
			Name: "invoice 7.pdf", ContentType: "application/pdf", Size: 2138, Remote: "https://files.slack.com/files-pri/T0SHOP-F0A/download/invoice.pdf",
		}}},
		"files_of_all_kinds": {Text: "see", Attachments: []channel.Attachment{
			{Name: "file", Missing: "it was deleted"},
			{Name: "file", Missing: "Slack hides it: it is older than the workspace's plan allows"},
			{Name: "doc", Missing: "it is not at Slack: https://docs.test/d"},
			{Name: "file", Remote: "id:F0E"},
			{Name: "file", Missing: "Slack does not let the app read it"},
			{Name: "file", Missing: "Slack names no address of it"},
		}},
		"forwarded": {Text: "look", Quoted: "Bob\nit <broke>"},
		"nothing":   {Unparsed: "a Slack message without text or file"},
	} {
		if got := parsed(t, name).Message.Content; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channel.Change{
		"edited":     {Action: channel.Edited, Target: "D0ADA:1764235200.000123", Content: channel.Content{Text: "green please"}},
		"deleted":    {Action: channel.Deleted, Target: "D0ADA:1764235200.000123"},
		"tombstone":  {Action: channel.Deleted, Target: "C0HELP:1764235200.000123"},
		"reaction":   {Action: channel.Reacted, Target: "D0ADA:1764235205.000500", Emoji: "thumbsup"},
		"unreaction": {Action: channel.Unreacted, Target: "D0ADA:1764235205.000500", Emoji: "thumbsup"},
	} {
		c := *parsed(t, name).Change
		if c.ID != "p-"+name || c.From.Address != "U0ADA" || c.From.Scope != "T0SHOP" || c.Assurance != 2 || c.OccurredAt.Before(time.Unix(1764235206, 0)) {
			t.Errorf("%s: %+v", name, c)
		}
		c.ID, c.From, c.Assurance, c.Evidence, c.OccurredAt = "", channel.Address{}, 0, "", time.Time{}
		if !reflect.DeepEqual(c, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, c, want)
		}
	}
}

// Most of what an app hears is no message; of channels the settings decide.
func TestWhatIsKeptFake(t *testing.T) {
	t.Parallel()
	always := []string{"text_mrkdwn", "mention", "thread_reply", "direct_thread", "file_share", "edited", "deleted", "reaction", "unreaction"}
	inChannels := []string{"shared_channel", "tombstone"}
	never := []string{"own", "another_bot", "joined", "unfurled", "reaction_to_file"}
	for _, setting := range []string{"mentions", "all"} {
		in := &channeltest.Intake{}
		a := start(t, in, nil)
		a.inboxes.Set("shop", "channels", setting)
		for _, name := range slices.Concat(always, inChannels, never) {
			var event map[string]any
			if err := json.Unmarshal(stored(t, name).Body, &event); err != nil {
				t.Fatal(err)
			}
			before := len(in.Taken())
			a.post(event)
			kept := len(in.Taken()) > before
			want := !slices.Contains(never, name) && (setting == "all" || !slices.Contains(inChannels, name))
			if kept != want {
				t.Errorf("%s with %s: kept %t", name, setting, kept)
			}
			if !kept {
				continue
			}
			raw := in.Taken()[before]
			if items, err := a.adapter.Parse(raw); err != nil || items[0].Message != nil && items[0].Message.ID != raw.ProviderID {
				t.Errorf("%s: %+v, %v", name, items, err)
			}
			if raw.Peek.Scope == "" || raw.Peek.Address == "" {
				t.Errorf("%s: %+v", name, raw.Peek)
			}
		}
	}
}

// What is said below a mention is said to the app, also after a restart.
func TestThreadsOfMentionsAreRememberedFake(t *testing.T) {
	t.Parallel()
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	event := func(name string) map[string]any {
		var v map[string]any
		if err := json.Unmarshal(stored(t, name).Body, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	kept := func(names ...string) int {
		in := &channeltest.Intake{}
		a := prepare(t, in, nil)
		a.inboxes.Set("shop", "channels", "mentions")
		a.adapter = slack.New(hosted.Deps{Intake: in, Inboxes: a.inboxes, Client: a.Client(), State: state})
		a.mux = http.NewServeMux()
		a.adapter.Routes(a.mux)
		for _, name := range names {
			a.post(event(name))
		}
		return len(in.Taken())
	}
	if n := kept("thread_reply"); n != 0 {
		t.Errorf("before the mention %d are kept", n)
	}
	if n := kept("mention"); n != 1 {
		t.Errorf("the mention is kept %d times", n)
	}
	if n := kept("thread_reply", "shared_channel"); n != 1 {
		t.Errorf("below it %d are kept", n)
	}
}

// An app that hears a mention as app_mention and as message hears it once.
func TestAMentionHeardTwiceIsOneFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	a := start(t, in, nil)
	var event map[string]any
	if err := json.Unmarshal(stored(t, "mention").Body, &event); err != nil {
		t.Fatal(err)
	}
	a.post(event)
	event["event_id"] = "Ev0DEF"
	event["event"].(map[string]any)["type"] = "message"
	event["event"].(map[string]any)["channel_type"] = "channel"
	a.post(event)
	if raws := in.Taken(); len(raws) != 2 || raws[0].ProviderID != raws[1].ProviderID {
		t.Errorf("%+v", raws)
	}
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"team_id":"T1","event":{"type":"message","subtype":"magic","user":"U1"}}`:                                                        `subtype "magic" is not known`,
		`{"team_id":"T1","event":{"type":"message","user":"U1"}}`:                                                                          "channel, ts: one is missing",
		`{"team_id":"T1","event":{"type":"message","channel":"D1","ts":"1.2"}}`:                                                            "user, team: one is missing",
		`{"event":{"type":"message","user":"U1","channel":"D1","ts":"1.2"}}`:                                                               "user, team: one is missing",
		`{"team_id":"T1","event":{"type":"message","user":"U1","channel":"D1","ts":"1.2","thread_ts":"` + strings.Repeat("1", 100) + `"}}`: "longer than 100",
		`{"team_id":"T1","event":{"type":"reaction_added","user":"U1"}}`:                                                                   "reaction: is missing",
		`{"team_id":"T1","event":{"type":"message","subtype":"message_changed","user":"U1"}}`:                                              "message: is missing",
		`{"team_id":"T1","event":{"type":"message","user":{}}}`:                                                                            "cannot unmarshal",
	} {
		raw := stored(t, "mention")
		raw.Body = []byte(body)
		if items, err := (slack.Parser{}).Parse(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", body, items, err)
		}
	}
}

// Whatever we send and Slack gives back is what was written.
func TestEscapesAreTakenBack(t *testing.T) {
	t.Parallel()
	raw := stored(t, "mention")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 50, -1).Draw(t, "text")
		words := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
		r := raw
		r.Body, _ = json.Marshal(map[string]any{"team_id": "T1", "event": map[string]any{"type": "message", "user": "U1", "channel": "D1", "ts": "1.2", "text": words}})
		items, err := slack.Parser{}.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := items[0].Message.Content.Text; got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	channeltest.Fuzz(f, slack.Parser{}, channel.Raw{
		Channel: slack.Name, Inbox: "shop", ProviderID: "p", ReceivedAt: time.Unix(1764240000, 0), ContentType: slack.ContentType,
	}, "testdata/*.json")
}
