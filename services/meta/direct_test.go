package meta_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/meta"
)

func startMessenger(t testing.TB, intake channel.Intake, more map[string]string) *bench {
	b := start(t, intake, meta.Messenger, func(d hosted.Deps) adapter { return meta.NewMessenger(d) }, more)
	b.edge = func(method, path string, args map[string]any) any {
		switch {
		case method == http.MethodPost && path == account+"/message_attachments" && known(t, args, "message", "filedata"):
			return map[string]string{"attachment_id": "1857777774821032"}
		case method == http.MethodGet && path == account:
			return map[string]string{"name": "Shop", "id": account}
		}
		return nil
	}
	b.send = func(args map[string]any) (any, *refusal) {
		return b.sendAPI("page", 2000, func(s string) int { return len([]rune(s)) }, args)
	}
	return b
}

func startInstagram(t testing.TB, intake channel.Intake, more map[string]string) *bench {
	b := start(t, intake, meta.Instagram, func(d hosted.Deps) adapter { return meta.NewInstagram(d) }, more)
	b.edge = func(method, path string, args map[string]any) any {
		switch {
		case method == http.MethodPost && path == "17865799348089039/replies" && known(t, args, "message"):
			b.sent = append(b.sent, args)
			return map[string]string{"id": "17873440459141021"}
		case method == http.MethodGet && path == account:
			return map[string]string{"username": "shop", "id": account}
		}
		return nil
	}
	b.send = func(args map[string]any) (any, *refusal) {
		return b.sendAPI("instagram", 1000, func(s string) int { return len(s) }, args)
	}
	return b
}

// sendAPI is the Send API; it echoes what it sends, as it does where message_echoes is subscribed.
func (b *bench) sendAPI(object string, limit int, length func(string) int, args map[string]any) (any, *refusal) {
	if !known(b.t, args, "recipient", "messaging_type", "tag", "message", "sender_action") {
		return nil, &refusal{400, 100, 0, "(#100) Unexpected key"}
	}
	if args["sender_action"] != nil {
		b.other = append(b.other, args)
		return map[string]string{"recipient_id": "1"}, nil
	}
	to, _ := args["recipient"].(map[string]any)
	message, _ := args["message"].(map[string]any)
	text, _ := message["text"].(string)
	switch {
	case !known(b.t, message, "text", "metadata", "attachment") || !known(b.t, to, "id", "comment_id"):
		return nil, &refusal{400, 100, 0, "(#100) Unexpected key"}
	case args["messaging_type"] != "RESPONSE" && args["messaging_type"] != "MESSAGE_TAG":
		return nil, &refusal{400, 100, 0, "(#100) Param messaging_type"}
	case length(text) > limit:
		return nil, &refusal{400, 100, 0, "(#100) Length of param message[text] must be less than or equal to 2000"}
	case to["id"] == "late" && args["tag"] != "HUMAN_AGENT":
		return nil, &refusal{400, 10, 2018278, "(#10) This message is sent outside of allowed window."}
	case to["id"] == "nobody":
		return nil, &refusal{400, 100, 2018001, "(#100) No matching user found"}
	}
	b.sent = append(b.sent, args)
	mid := fmt.Sprintf("m_OUT%d", len(b.sent))
	if text != "" {
		b.Show(text)
	}
	b.hook(map[string]any{"object": object, "entry": []any{map[string]any{"id": account, "time": 1, "messaging": []any{map[string]any{
		"sender": map[string]string{"id": account}, "recipient": to, "timestamp": time.Now().UnixMilli(),
		"message": map[string]any{"mid": mid, "is_echo": true, "app_id": 1, "metadata": message["metadata"], "text": text},
	}}}}})
	return map[string]any{"recipient_id": to["id"], "message_id": mid}, nil
}

func dmBatch(object string, event map[string]any) map[string]any {
	event["sender"], event["recipient"] = map[string]string{"id": "5591234567890123"}, map[string]string{"id": account}
	return map[string]any{"object": object, "entry": []any{map[string]any{"id": account, "time": time.Now().UnixMilli(), "messaging": []any{event}}}}
}

func directConformance(t *testing.T, name, object, kind string, start func(testing.TB, channel.Intake, map[string]string) *bench) {
	said := func(id, text string, at time.Time) map[string]any {
		return dmBatch(object, map[string]any{"timestamp": at.UnixMilli(), "message": map[string]any{"mid": "m_" + id, "text": text}})
	}
	channeltest.Run(t, channeltest.Harness{
		Name: name, Counterpart: channeltest.OurFake,
		Without: map[string]string{"OldProofIsRefused": "Meta signs the body and no time; a message that is sent again is recognised by its id"},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "one", Customer: "c1", At: time.Now(), To: channel.Address{Kind: kind, Scope: account, Address: "5591234567890123"}}
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			b := start(t, intake, nil)
			return b.subject(said, func(id string, action channel.Action) channel.Raw {
				event := map[string]any{"timestamp": time.Now().UnixMilli()}
				switch action {
				case channel.Edited:
					event["message_edit"] = map[string]any{"mid": "m_" + id, "text": "after", "num_edit": 1}
				case channel.Deleted:
					event["message"] = map[string]any{"mid": "m_" + id, "is_deleted": true}
				case channel.Reacted:
					event["reaction"] = map[string]string{"mid": "m_" + id, "action": "react", "reaction": "love", "emoji": "❤️"}
				default:
					event["reaction"] = map[string]string{"mid": "m_" + id, "action": "unreact"}
				}
				return b.stored(t, dmBatch(object, event))
			})
		},
	})
}

func TestMessengerConformance(t *testing.T) {
	t.Parallel()
	directConformance(t, "Messenger", "page", "messenger", startMessenger)
}

func TestInstagramConformance(t *testing.T) {
	t.Parallel()
	directConformance(t, "Instagram", "instagram", "instagram", startInstagram)
}

func TestMessengerEvents(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startMessenger(t, in, nil)
	raws, items := b.taken(in, "messenger_batch")
	var ids []string
	for _, r := range raws {
		ids = append(ids, r.ProviderID)
	}
	customer := channel.Address{Kind: "messenger", Scope: account, Address: "5591234567890123"}
	if len(items) != 5 || ids[0] != "m_IN1" || ids[1] != "delivery:5591234567890123:1749416383000" || ids[2] != "m_PB1" ||
		ids[3] != "read:5591234567890123:1749416383000" || !strings.HasPrefix(ids[4], "sha256-") {
		t.Fatalf("echoes of others are nothing to keep: %v", ids)
	}
	for i, state := range map[int]channel.State{1: channel.StateDelivered, 3: channel.StateRead} {
		if r := items[i].Receipt; r == nil || r.State != state || r.To != customer || r.Outbound != "" || !r.At.Equal(time.UnixMilli(1749416383000)) {
			t.Errorf("%+v", r)
		}
	}
	m := items[0].Message
	if !reflect.DeepEqual(m.References, []string{"m_OUT7"}) || m.From != customer ||
		!m.OccurredAt.Equal(time.UnixMilli(1749416383123)) {
		t.Errorf("%+v", m)
	}
	want := []channel.Attachment{{Name: "image.jpg", ContentType: "image/jpeg", Remote: "https://scontent.xx.fbcdn.net/v/t1/a.jpg?oh=1"}}
	if m.Content.Text != "See this\nLocation: geo:37.483872,-122.148989" || !reflect.DeepEqual(m.Content.Attachments, want) {
		t.Errorf("%+v", m.Content)
	}
	if items[2].Message.Content.Text != "pressed: Get started" {
		t.Errorf("%+v", items[2].Message)
	}
	if c := items[4].Change; c.Action != channel.Edited || c.Target != "m_IN1" || c.Content.Text != "See that" {
		t.Errorf("%+v", c)
	}
}

// An echo of a message of ours says that it went out, also where the answer was lost.
func TestMessengerEchoIsAReceiptFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startMessenger(t, in, nil)
	b.API("two").Script(channeltest.Answer{Lost: true})
	out := channel.Outbound{ID: "r1", Inbox: "one", To: channel.Address{Kind: "messenger", Scope: account, Address: "1"}, Content: channel.Content{Text: "hello"}}
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateUnknown {
		t.Fatalf("%+v, %v", r, err)
	}
	items, err := b.adapter.Parse(in.Taken()[0])
	if err != nil || items[0].Receipt == nil || items[0].Receipt.Outbound != "r1" || items[0].Receipt.State != channel.StateSent || items[0].Receipt.ProviderID != "m_OUT1" {
		t.Errorf("%+v, %v", items, err)
	}
	if r, err := b.adapter.(channel.Looker).Look(t.Context(), out); err != nil || r.State != channel.StateSent || r.ProviderID != "m_OUT1" {
		t.Errorf("%+v, %v", r, err)
	}
	out.ID = "r2"
	if r, err := b.adapter.(channel.Looker).Look(t.Context(), out); err == nil {
		t.Errorf("what was never sent is %+v", r)
	}
}

func TestWindowAndHumanAgentFake(t *testing.T) {
	t.Parallel()
	out := channel.Outbound{ID: "r1", Inbox: "one", To: channel.Address{Kind: "messenger", Scope: account, Address: "late"}, Content: channel.Content{Text: "hello"}}
	b := startMessenger(t, &channeltest.Intake{}, nil)
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "more than 24 hours") {
		t.Errorf("%+v, %v", r, err)
	}
	b = startMessenger(t, &channeltest.Intake{}, map[string]string{"human_agent": "on"})
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent || b.last()["tag"] != "HUMAN_AGENT" {
		t.Errorf("%+v, %v", r, err)
	}
	out.ID, out.To.Address = "r2", "someone"
	if _, err := b.adapter.Send(t.Context(), out); err != nil || b.last()["tag"] != nil || b.last()["messaging_type"] != "RESPONSE" {
		t.Errorf("the tag is used where it is not needed: %v, %v", b.last(), err)
	}
	out.ID, out.To.Address = "r3", "nobody"
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "no such customer") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestMessengerFilesAndTypingFake(t *testing.T) {
	t.Parallel()
	b := startMessenger(t, &channeltest.Intake{}, nil)
	out := channel.Outbound{
		ID: "r1", Inbox: "one", To: channel.Address{Kind: "messenger", Scope: account, Address: "1"},
		Content: channel.Content{Text: "Here", Attachments: []channel.Attachment{{Name: "a.png", ContentType: "image/png", Size: 3, Blob: b.keep("png")}}},
	}
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent || r.ProviderID != "m_OUT1" {
		t.Fatalf("%+v, %v", r, err)
	}
	want := map[string]any{"type": "image", "payload": map[string]any{"attachment_id": "1857777774821032"}}
	if got := b.last()["message"].(map[string]any)["attachment"]; !reflect.DeepEqual(got, want) || b.other[0]["filedata"] != "a.png=image/png=png" {
		t.Errorf("%v, %v", got, b.other)
	}
	if err := b.adapter.(channel.Typist).Typing(t.Context(), "one", out.To, true); err != nil || b.other[1]["sender_action"] != "typing_on" {
		t.Errorf("%v, %v", b.other, err)
	}
}

func TestDirectFetchFake(t *testing.T) {
	t.Parallel()
	b := startInstagram(t, &channeltest.Intake{}, nil)
	b.files["story"] = []byte("the story")
	f := b.adapter.(channel.Fetcher)
	rc, err := f.Fetch(t.Context(), "one", channel.Attachment{Remote: b.URL + "/files/story"})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); err != nil || string(got) != "the story" {
		t.Errorf("%q, %v", got, err)
	}
	for _, address := range []string{b.URL + "/files/expired", "https://fbcdn.net.evil.example/x", "http://scontent.fbcdn.net/x", "https://u:p@fbcdn.net/x", "file:///etc/passwd"} {
		if _, err := f.Fetch(t.Context(), "one", channel.Attachment{Remote: address}); !errors.Is(err, channel.ErrGone) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestInstagramEvents(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startInstagram(t, in, nil)
	raws, items := b.taken(in, "instagram_batch")
	if len(items) != 6 {
		t.Fatalf("%d inputs", len(raws))
	}
	if c := items[0].Message.Content; c.Subject != "Reply to a story" || c.Text != "Love it" || c.Attachments[0].Remote != "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1" {
		t.Errorf("%+v", c)
	}
	if c := items[1].Message.Content; c.Subject != "Mention in a story" || c.Attachments[0].Name != "story" || c.Text != "" {
		t.Errorf("%+v", c)
	}
	if c := items[2].Message.Content; c.Unparsed == "" {
		t.Errorf("%+v", c)
	}
	if c := items[3].Change; c.Action != channel.Deleted || c.Target != "m_IG1" {
		t.Errorf("%+v", c)
	}
	if r := items[4].Receipt; r == nil || r.State != channel.StateRead || r.To.Address != "5591234567890123" || !r.At.Equal(time.UnixMilli(1749416383123)) {
		t.Errorf("%+v", r)
	}
	m := items[5].Message
	if m.Thread != "media:17900000000000001" || m.Content.Text != "How much?" || m.From.Name != "ada.l" || m.ID != "comment:17865799348089039" ||
		!reflect.DeepEqual(m.References, []string{"comment:17865799348089000"}) || m.Content.Subject != "Comment on a reel" {
		t.Errorf("%+v", m)
	}
}

func TestCommentsAreAnsweredFake(t *testing.T) {
	t.Parallel()
	out := channel.Outbound{
		ID: "r1", Inbox: "one", To: channel.Address{Kind: "instagram", Scope: account, Address: "1"},
		InReplyTo: "comment:17865799348089039", Thread: "media:17900000000000001", Content: channel.Content{Text: "9 €"},
	}
	b := startInstagram(t, &channeltest.Intake{}, nil)
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.ProviderID != "comment:17873440459141021" || b.last()["message"] != "9 €" {
		t.Errorf("%+v, %v, %v", r, err, b.last())
	}
	b = startInstagram(t, &channeltest.Intake{}, map[string]string{"comment_replies": "private"})
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.ProviderID != "m_OUT1" || !reflect.DeepEqual(b.last()["recipient"], map[string]any{"comment_id": "17865799348089039"}) {
		t.Errorf("%+v, %v, %v", r, err, b.last())
	}
	out.ID, out.Content.Text = "r2", strings.Repeat("ä", 501)
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "1002") {
		t.Errorf("%+v, %v", r, err)
	}
	out.ID, out.InReplyTo = "r3", ""
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed {
		t.Errorf("a public answer to nothing: %+v, %v", r, err)
	}
}

func TestDirectSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	s := map[string]string{"account_id": account, "access_token": token, "app_secret": newSecret, "verify_token": "12345678", "human_agent": "maybe", "comment_replies": "both"}
	if err := meta.MessengerChannel(nil).Check(s); err == nil || !strings.Contains(err.Error(), `human_agent: "maybe" is not one of off, on`) {
		t.Error(err)
	}
	if err := meta.InstagramChannel(nil).Check(s); err == nil || !strings.Contains(err.Error(), `comment_replies: "both" is not one of public, private`) {
		t.Error(err)
	}
}

func FuzzParseMessenger(f *testing.F) {
	fuzzParse(f, meta.Messenger, "messenger_", meta.MessengerParser{})
}

func FuzzParseInstagram(f *testing.F) {
	fuzzParse(f, meta.Instagram, "instagram_", meta.InstagramParser{})
}
