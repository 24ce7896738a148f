package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/api"
)

// only reads the one item that an event becomes.
func only(t *testing.T, b *backend, in *channeltest.Intake, event any) (channel.Item, error) {
	t.Helper()
	before := len(in.Taken())
	if code := b.post("w-"+strings.Repeat("x", before+1), event); code != http.StatusOK {
		t.Fatalf("answer %d", code)
	}
	items, err := b.adapter.Parse(in.Taken()[before])
	if err != nil {
		return channel.Item{}, err
	}
	return items[0], nil
}

func TestWhoVouchesForWhat(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in)
	e := said("m1", "hello")
	e.From.Email, e.From.EmailVerified = "ada@example.org", true
	it, err := only(t, b, in, e)
	if err != nil || it.Message.Assurance != 4 || it.Message.ClaimsHandle == nil || len(it.Message.Flags) != 0 {
		t.Fatalf("a login with a proven address: %+v, %v", it.Message, err)
	}
	e.From.EmailVerified = false
	if it, err = only(t, b, in, e); err != nil || len(it.Message.Flags) != 1 || it.Message.Flags[0] != "offline_capture" {
		t.Errorf("an address that is only said: %+v, %v", it.Message, err)
	}
	b.inboxes.Set("app", "vouch", "device")
	if it, err = only(t, b, in, e); err != nil || it.Message.Assurance != 2 {
		t.Errorf("a device: %+v, %v", it.Message, err)
	}
	// What came under the former setting still means what it meant.
	items, err := b.adapter.Parse(in.Taken()[0])
	if err != nil || items[0].Message.Assurance != 4 {
		t.Errorf("the earlier one: %+v, %v", items, err)
	}
}

func TestFilesAreKeptInside(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in)
	e := said("m1", "")
	e.Files = []api.File{{Name: "../../etc/pass\x00wd.txt", Type: "text/plain", Data: []byte("a\x00b")}}
	it, err := only(t, b, in, e)
	if err != nil {
		t.Fatal(err)
	}
	a := it.Message.Content.Attachments[0]
	if a.Name != "passwd.txt" || a.Size != 3 {
		t.Errorf("%+v", a)
	}
	data, kind, err := b.adapter.OpenPart(in.Taken()[0], a.Part)
	if err != nil || string(data) != "a\x00b" || kind != "text/plain" {
		t.Errorf("%q, %q, %v", data, kind, err)
	}
	for _, part := range []string{"", "1", "-1", "x", "99999999999999999999"} {
		if _, _, err := b.adapter.OpenPart(in.Taken()[0], part); err == nil {
			t.Errorf("part %q is there", part)
		}
	}
}

// TestWhatIsWrongIsNamed: stored, since it was signed, and said what is wrong with which field.
func TestWhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in)
	long := strings.Repeat("x", 100_001)
	for want, e := range map[string]any{
		"type: \"\"":                    map[string]any{},
		"type: \"call\"":                map[string]any{"type": "call"},
		"from.id: is missing":           map[string]any{"type": "message", "text": "x"},
		"from.id: has 100001":           map[string]any{"type": "message", "text": "x", "from": map[string]any{"id": long}},
		"text: is empty":                map[string]any{"type": "message", "from": map[string]any{"id": "u"}},
		"text: has 100001":              map[string]any{"type": "message", "from": map[string]any{"id": "u"}, "text": long},
		"files: 11":                     map[string]any{"type": "message", "from": map[string]any{"id": "u"}, "files": make([]struct{}, 11)},
		"message: is missing":           map[string]any{"type": "deleted", "from": map[string]any{"id": "u"}},
		"emoji: is missing":             map[string]any{"type": "reacted", "from": map[string]any{"id": "u"}, "message": "m"},
		"state: \"sent\" is not one of": map[string]any{"type": "receipt", "message": "m", "state": "sent"},
		"type: is a JSON number":        map[string]any{"type": 7},
		"at: is not a time as RFC 3339": map[string]any{"type": "message", "from": map[string]any{"id": "u"}, "text": "x", "at": "garbage"},
		"files[1].data: is not base64":  map[string]any{"type": "message", "from": map[string]any{"id": "u"}, "files": []any{map[string]any{"data": "QQ=="}, map[string]any{"data": "%%"}}},
	} {
		if _, err := only(t, b, in, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in)
	for _, state := range []channel.State{channel.StateDelivered, channel.StateRead, channel.StateFailed} {
		it, err := only(t, b, in, api.Event{Type: "receipt", Message: "r1", State: string(state), Detail: "why"})
		if err != nil || it.Receipt == nil || it.Receipt.State != state || it.Receipt.Outbound != "r1" || it.Receipt.Inbox != "app" {
			t.Errorf("%s: %+v, %v", state, it.Receipt, err)
		}
	}
}

func TestTypingAndPing(t *testing.T) {
	t.Parallel()
	taken := &channeltest.Intake{}
	b := start(t, taken)
	if err := b.adapter.Typing(t.Context(), "app", channel.Address{Address: "user-7"}, true); err != nil {
		t.Fatal(err)
	}
	if e := <-b.events; e.Type != "typing" || !e.Typing || e.To.ID != "user-7" {
		t.Errorf("%+v", e)
	}
	for _, on := range []bool{true, false} { // the other way: shown, and not kept
		if code := b.post("w1", api.Event{Type: "typing", From: &api.Party{ID: "user-7"}, Typing: on}); code != http.StatusOK {
			t.Errorf("answer %d", code)
		}
		if got := <-b.typing; got != fmt.Sprint("api app user-7 ", on) {
			t.Errorf("shown: %s", got)
		}
	}
	if n := len(taken.Taken()); n != 0 {
		t.Errorf("%d inputs were kept", n)
	}
	in, _ := b.inboxes.Get("app")
	if err := api.Channel(b.Client()).Test(t.Context(), in); err != nil {
		t.Error(err)
	}
	if e := <-b.events; e.Type != "ping" {
		t.Errorf("%+v", e)
	}
	in.Settings["url"] = b.URL + "0"
	if err := api.Channel(b.Client()).Test(t.Context(), in); err == nil {
		t.Error("an address where nobody listens is fine")
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := api.Channel(nil).Check
	for want, s := range map[string]map[string]string{
		"signing_secret: is missing":                   {},
		"signing_secret: a secret has 4 characters":    {"signing_secret": "abcd"},
		"signing_secret: is not whsec_":                {"signing_secret": strings.Repeat("a", 40)},
		"signing_secret: holds 3":                      {"signing_secret": oldSecret + " " + oldSecret + " " + oldSecret},
		"url: \"ftp://x\" is not an address":           {"signing_secret": oldSecret, "url": "ftp://x"},
		"url: \"https://u:p@x\" is not an address":     {"signing_secret": oldSecret, "url": "https://u:p@x"},
		"vouch: \"maybe\" is not one of login, device": {"signing_secret": oldSecret, "vouch": "maybe"},
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		}
	}
	if err := check(map[string]string{"signing_secret": oldSecret + "\n" + newSecret, "url": "https://app.example/hook"}); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"type":"message","from":{"id":"u"},"text":"x","files":[{"name":"a","data":"AA=="}]}`))
	f.Add([]byte(`{"type":"edited","from":{"id":"u"},"message":"m","text":"y"}`))
	f.Add([]byte(`{"type":"receipt","message":"m","state":"read","at":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		raw := channel.Raw{Channel: api.Name, Inbox: "app", ProviderID: "p", ReceivedAt: time.Unix(1, 0), ContentType: api.ContentType + "; vouch=login", Body: body}
		items, err := api.Parser{}.Parse(raw)
		if err == nil && len(items) != 1 {
			t.Errorf("%d items", len(items))
		}
		for _, it := range items {
			if it.Message == nil {
				continue
			}
			for _, a := range it.Message.Content.Attachments {
				if _, _, err := (api.Parser{}).OpenPart(raw, a.Part); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// An id that is too long names nobody: the event is kept without a sender, and the intake is not asked for more than it takes.
func TestALongIDIsNoPeek(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in)
	for i, n := range []int{200, 201, 2100} {
		e := said("m1", "hello")
		e.From.ID = strings.Repeat("ü", n)
		if code := b.post("p-"+strings.Repeat("x", i+1), e); code != http.StatusOK {
			t.Fatalf("answer %d", code)
		}
		if peek := in.Taken()[i].Peek.Address; (peek == "") != (n > 200) {
			t.Errorf("of %d characters: %d bytes", n, len(peek))
		}
	}
}

// A name that turns the text around it is shown without what does that.
func TestANameHidesNothing(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in)
	e := said("m1", "hello")
	e.From.Name = "\u202eAda\x00"
	if it, err := only(t, b, in, e); err != nil || it.Message.From.Name != "Ada" {
		t.Errorf("%+v, %v", it.Message, err)
	}
}
