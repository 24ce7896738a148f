package meta_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/meta"
)

const waba = "102290129340398"

// startWhatsApp has a Cloud API that tells of "sent" by webhook, as the true one does.
func startWhatsApp(t testing.TB, intake channel.Intake) *bench {
	b := start(t, intake, meta.WhatsApp, func(d hosted.Deps) adapter { return meta.NewWhatsApp(d) }, nil)
	b.edge = func(method, path string, args map[string]any) any {
		switch {
		case method == http.MethodPost && path == account+"/media":
			if !known(t, args, "messaging_product", "type", "file") || args["messaging_product"] != "whatsapp" {
				return nil
			}
			return map[string]string{"id": "media-1"}
		case method == http.MethodGet && path == "media-7":
			return map[string]any{"id": "media-7", "url": b.URL + "/files/seven?bearer=1", "mime_type": "image/jpeg", "file_size": 8, "messaging_product": "whatsapp"}
		case method == http.MethodGet && path == "media-evil":
			return map[string]any{"id": "media-evil", "url": "https://fbsbx.com.evil.example/x"}
		case method == http.MethodGet && path == waba+"/message_templates":
			return b.templates(args)
		case method == http.MethodGet && path == account:
			return map[string]any{"display_phone_number": "15550783881", "id": account}
		}
		return nil
	}
	b.send = b.cloudAPI
	return b
}

func (b *bench) cloudAPI(args map[string]any) (any, *refusal) {
	if args["status"] == "read" {
		known(b.t, args, "messaging_product", "status", "message_id")
		b.other = append(b.other, args)
		return map[string]bool{"success": true}, nil
	}
	if !known(b.t, args, "messaging_product", "recipient_type", "to", "recipient", "type", "text", "image", "video", "audio", "document", "template", "context", "biz_opaque_callback_data") ||
		args["messaging_product"] != "whatsapp" || args["recipient_type"] != "individual" || (args["to"] == nil) == (args["recipient"] == nil) {
		return nil, &refusal{400, 131009, 0, "Parameter value is not valid"}
	}
	kind := fmt.Sprint(args["type"])
	content, ok := args[kind].(map[string]any)
	if !ok {
		return nil, &refusal{400, 131008, 0, "Required parameter is missing"}
	}
	text := content["body"]
	if kind != "text" {
		text = content["caption"]
	}
	if s, ok := text.(string); ok {
		if n := len([]rune(s)); kind == "text" && n > 4096 || kind != "text" && n > 1024 {
			return nil, &refusal{400, 100, 0, "(#100) Param text['body'] must be at most 4096 characters long."}
		}
		b.Show(s)
	}
	if args["to"] == "490000" {
		return nil, &refusal{400, 131047, 0, "Re-engagement message"}
	}
	b.sent = append(b.sent, args)
	id := fmt.Sprintf("wamid.OUT%d", len(b.sent))
	if code := b.hook(waBatch(map[string]any{"statuses": []any{map[string]any{
		"id": id, "status": "sent", "timestamp": fmt.Sprint(time.Now().Unix()), "recipient_id": "4930123456", "biz_opaque_callback_data": args["biz_opaque_callback_data"],
	}}})); code != http.StatusOK {
		b.t.Errorf("status: answer %d", code)
	}
	return map[string]any{"messaging_product": "whatsapp", "contacts": []any{}, "messages": []any{map[string]string{"id": id}}}, nil
}

func waBatch(value map[string]any) map[string]any {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = map[string]string{"display_phone_number": "15550783881", "phone_number_id": account}
	return map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{
		"id": waba, "changes": []any{map[string]any{"field": "messages", "value": value}},
	}}}
}

func waSaid(id, text string, at time.Time) map[string]any {
	return waBatch(map[string]any{
		"contacts": []any{map[string]any{"profile": map[string]string{"name": "Ada Lovelace"}, "wa_id": "4930123456", "user_id": "DE.13491208655302741918"}},
		"messages": []any{map[string]any{
			"from": "4930123456", "from_user_id": "DE.13491208655302741918", "id": "wamid." + id, "timestamp": fmt.Sprint(at.Unix()), "type": "text", "text": map[string]string{"body": text},
		}},
	})
}

func TestWhatsAppConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "WhatsApp", Counterpart: channeltest.OurFake,
		Without: map[string]string{"OldProofIsRefused": "Meta signs the body and no time; a message that is sent again is recognised by its id"},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "one", Customer: "c1", At: time.Now(), To: channel.Address{Kind: "whatsapp", Scope: waba, Address: "DE.13491208655302741918"}}
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			b := startWhatsApp(t, intake)
			return b.subject(waSaid, func(id string, action channel.Action) channel.Raw {
				emoji := map[channel.Action]string{channel.Reacted: "👍"}[action]
				return b.stored(t, waBatch(map[string]any{"messages": []any{map[string]any{
					"from": "4930123456", "from_user_id": "DE.13491208655302741918", "id": "wamid.R" + string(action), "timestamp": "1764235200", "type": "reaction",
					"reaction": map[string]string{"message_id": "wamid." + id, "emoji": emoji},
				}}}))
			})
		},
	})
}

// subject is a bench for the suite.
func (b *bench) subject(said func(id, text string, at time.Time) map[string]any, changed func(string, channel.Action) channel.Raw) channeltest.Subject {
	deliver := func(id, text string, at time.Time) error {
		if code := b.hook(said(id, text, at)); code != http.StatusOK {
			return fmt.Errorf("answer %d", code)
		}
		return nil
	}
	return channeltest.Subject{
		Adapter: b.adapter, Shown: b.Shown, API: b.API("two"), Health: b.inboxes.Reported, Changed: changed,
		Deliver: func(_ context.Context, id, text string) error { return deliver(id, text, time.Now()) },
		SaidAt:  func(_ context.Context, id, text string, at time.Time) error { return deliver(id, text, at) },
		Hook: &channeltest.Hook{
			Handler: b.mux, Secrets: [2]string{newSecret, oldSecret}, Covers: true,
			Request: func(id, text, secret string, at time.Time) *http.Request {
				body, err := json.Marshal(said(id, text, at))
				if err != nil {
					panic(err)
				}
				return b.request(secret, body)
			},
		},
	}
}

// stored is a batch of one as the door of another bench would store it.
func (b *bench) stored(t testing.TB, body map[string]any) channel.Raw {
	in := &channeltest.Intake{}
	var other *bench
	switch b.name {
	case meta.WhatsApp:
		other = startWhatsApp(t, in)
	case meta.Messenger:
		other = startMessenger(t, in, nil)
	default:
		other = startInstagram(t, in, nil)
	}
	if code := other.hook(body); code != http.StatusOK {
		t.Errorf("answer %d", code)
	}
	if len(in.Taken()) != 1 {
		t.Fatalf("%d inputs", len(in.Taken()))
	}
	return in.Taken()[0]
}

func TestWhatsAppSender(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startWhatsApp(t, in)
	_, items := b.taken(in, "whatsapp_text")
	m := items[0].Message
	want := channel.Address{Kind: "whatsapp", Scope: waba, Address: "US.13491208655302741918", Name: "Sheena Nelson"}
	if m.From != want || m.ClaimsHandle == nil || m.ClaimsHandle.Address != "+16505551234" || m.ClaimsHandle.Kind != "phone" || m.Assurance != 2 || len(m.Flags) != 0 {
		t.Errorf("%+v, claims %+v", m, m.ClaimsHandle)
	}
	_, items = b.taken(in, "whatsapp_hidden_number")
	m = items[0].Message
	if m.From.Address != "US.13491208655302741918" || m.From.Name != "@realsheenanelson" || m.ClaimsHandle != nil {
		t.Errorf("%+v", m)
	}
	_, items = b.taken(in, "whatsapp_number_only")
	m = items[0].Message
	if m.From.Kind != "phone" || m.From.Scope != "" || m.From.Address != "+16505551234" || m.ClaimsHandle != nil {
		t.Errorf("%+v", m)
	}
	_, items = b.taken(in, "whatsapp_number_changed")
	m = items[0].Message
	if m.From.Address != "+16505551234" || m.ClaimsHandle == nil || m.ClaimsHandle.Address != "+12195550009" || !reflect.DeepEqual(m.Flags, []string{"automatic", "auto_reply"}) {
		t.Errorf("%+v, claims %+v", m, m.ClaimsHandle)
	}
}

func TestWhatsAppContentOfEachKind(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startWhatsApp(t, in)
	for name, want := range map[string]channel.Content{
		"whatsapp_image":       {Text: "Taj Mahal", Attachments: []channel.Attachment{{Name: "image.jpg", ContentType: "image/jpeg", Remote: "1003383421387256"}}},
		"whatsapp_voice":       {Attachments: []channel.Attachment{{Name: "voice.ogg", ContentType: "audio/ogg; codecs=opus", Remote: "1908647269898587"}}},
		"whatsapp_document":    {Attachments: []channel.Attachment{{Name: "invoice.pdf", ContentType: "application/pdf", Remote: "1376223850470843"}}},
		"whatsapp_location":    {Text: "Location: Philz Coffee 101 Forest Ave, Palo Alto geo:37.442190,-122.163513"},
		"whatsapp_contacts":    {Text: "Contact: Barbara J. Johnson, +1 (940) 555-1234, bjj@lucky.example"},
		"whatsapp_list":        {Text: "Priority Mail Express\nNext Day to 2 Days"},
		"whatsapp_button":      {Text: "Unsubscribe from Promos", Subject: ""},
		"whatsapp_unsupported": {Unparsed: "WhatsApp did not hand it over: WhatsApp does not know this type of message (code 131051)"},
		"whatsapp_order":       {Text: "Order:\n2 × di9ozbzfi4, 30 USD\nLove these!"},
	} {
		_, items := b.taken(in, name)
		if got := items[0].Message.Content; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
	_, items := b.taken(in, "whatsapp_button")
	if got := items[0].Message.References; !reflect.DeepEqual(got, []string{"wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3NzFBMjBDNTlGRTYyNTRFRjAA"}) {
		t.Errorf("%v", got)
	}
}

// A batch is as many inputs as it has messages and statuses of ours; tried again they have the same names.
func TestWhatsAppBatchFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startWhatsApp(t, in)
	out := channel.Outbound{ID: "r1", Inbox: "one", Customer: "c", To: channel.Address{Kind: "phone", Address: "+4930123456"}, Content: channel.Content{Text: "x"}}
	if _, err := b.adapter.Send(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	mark := fmt.Sprint(b.last()["biz_opaque_callback_data"])
	before := len(in.Taken())
	batch := []byte(strings.ReplaceAll(string(file(t, "whatsapp_batch")), "MARK", mark))
	if b.hook(batch) != http.StatusOK || b.hook([]byte(strings.Replace(string(batch), `"time":1`, `"time":2`, 1))) != http.StatusOK {
		t.Fatal("refused")
	}
	raws := in.Taken()[before:]
	var names []string
	for i, raw := range raws {
		if i < len(raws)/2 {
			names = append(names, raw.Inbox+" "+raw.ProviderID)
		} else if again := raw.Inbox + " " + raw.ProviderID; again != names[i-len(names)] || string(raw.Body) != string(raws[i-len(names)].Body) {
			t.Errorf("%d is %s the second time", i, again)
		}
	}
	want := []string{"one wamid.A1", "one wamid.A2", "one status:wamid.OUT1:delivered", "one status:wamid.OUT1:failed", "two wamid.B1"}
	if !reflect.DeepEqual(names, want) {
		t.Fatalf("%v", names)
	}
	items, err := b.adapter.Parse(raws[2])
	if err != nil || items[0].Receipt.State != channel.StateDelivered || items[0].Receipt.Outbound != "r1" || items[0].Receipt.ProviderID != "wamid.OUT1" {
		t.Errorf("%+v, %v", items, err)
	}
	items, err = b.adapter.Parse(raws[3])
	if err != nil || items[0].Receipt.State != channel.StateFailed || !strings.Contains(items[0].Receipt.Detail, "the number is not on WhatsApp") {
		t.Errorf("%+v, %v", items, err)
	}
}

// What is for a number that no inbox has is kept, and says so.
func TestWhatsAppForAnUnknownNumber(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startWhatsApp(t, in)
	if code := b.hook([]byte(strings.Replace(string(file(t, "whatsapp_text")), account, "1", 1))); code != http.StatusOK || len(in.Taken()) != 1 {
		t.Fatalf("%d, %d inputs", code, len(in.Taken()))
	}
	if _, err := b.adapter.Parse(in.Taken()[0]); err == nil || !strings.Contains(err.Error(), "no inbox has") {
		t.Error(err)
	}
}

func TestWhatsAppGreets(t *testing.T) {
	t.Parallel()
	b := startWhatsApp(t, &channeltest.Intake{})
	for word, want := range map[string]int{"a word of ours": http.StatusOK, "another": http.StatusForbidden, "": http.StatusForbidden} {
		w := httptest.NewRecorder()
		q := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {word}}
		b.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, hosted.HookPath(meta.WhatsApp, "one")+"?"+q.Encode(), nil))
		if w.Code != want || (w.Body.String() == "1158201444") != (want == http.StatusOK) {
			t.Errorf("%q: %d %s", word, w.Code, w.Body)
		}
	}
}

func TestWhatsAppSendsFilesAndTemplatesFake(t *testing.T) {
	t.Parallel()
	b := startWhatsApp(t, &channeltest.Intake{})
	out := channel.Outbound{
		ID: "r1", Inbox: "one", To: channel.Address{Kind: "phone", Address: "+4930123456"}, InReplyTo: "wamid.IN",
		Content: channel.Content{Text: "Here", Attachments: []channel.Attachment{{Name: "a.pdf", ContentType: "application/pdf", Size: 3, Blob: b.keep("pdf")}}},
	}
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent || r.ProviderID != "wamid.OUT1" {
		t.Fatalf("%+v, %v", r, err)
	}
	got := b.last()
	if !reflect.DeepEqual(got["document"], map[string]any{"id": "media-1", "caption": "Here", "filename": "a.pdf"}) ||
		!reflect.DeepEqual(got["context"], map[string]any{"message_id": "wamid.IN"}) || got["to"] != "4930123456" {
		t.Errorf("%v", got)
	}
	if b.other[0]["file"] != "a.pdf=application/pdf=pdf" || b.other[1]["message_id"] != "wamid.IN" {
		t.Errorf("%v", b.other)
	}
	out.ID, out.Template = "r2", &channel.Template{Name: "hello", Language: "en-US", Values: []string{"Ada"}}
	if _, err := b.adapter.Send(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"name": "hello", "language": map[string]any{"code": "en_US"}, "components": []any{
		map[string]any{"type": "body", "parameters": []any{map[string]any{"type": "text", "text": "Ada"}}},
	}}
	if got := b.last()["template"]; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestGraphCodesFake(t *testing.T) {
	t.Parallel()
	body := func(code int) string { return fmt.Sprintf(`{"error":{"message":"m","code":%d}}`, code) }
	out := channel.Outbound{ID: "r1", Inbox: "one", To: channel.Address{Kind: "phone", Address: "+4930123456"}, Content: channel.Content{Text: "x"}}
	for code, check := range map[int]func(*bench, channel.Receipt, error) bool{
		4:      throttled,
		80007:  throttled,
		130429: throttled,
		131056: func(b *bench, _ channel.Receipt, err error) bool {
			after, ok := errors.AsType[*channel.RetryAfterError](err)
			next := out
			next.ID = "r2"
			r, errNext := b.adapter.Send(b.t.Context(), next) // the account goes on
			return ok && after.After == 10*time.Second && errNext == nil && r.State == channel.StateSent
		},
		190: func(b *bench, _ channel.Receipt, err error) bool {
			return errors.Is(err, channel.ErrNeedsAttention) && b.inboxes.Health("one").State == "needs_attention"
		},
		131000: func(_ *bench, _ channel.Receipt, err error) bool {
			return err != nil && !errors.Is(err, channel.ErrNeedsAttention)
		},
		131047: func(_ *bench, r channel.Receipt, err error) bool {
			return err == nil && r.State == channel.StateFailed && strings.Contains(r.Detail, "only a template reaches him")
		},
		131026: func(_ *bench, r channel.Receipt, err error) bool {
			return err == nil && r.State == channel.StateFailed && strings.Contains(r.Detail, "not on WhatsApp")
		},
	} {
		b := startWhatsApp(t, &channeltest.Intake{})
		b.API("two").Script(channeltest.Answer{Status: http.StatusBadRequest, Body: body(code)})
		if r, err := b.adapter.Send(t.Context(), out); !check(b, r, err) {
			t.Errorf("%d: %+v, %v", code, r, err)
		}
	}
	// 500 in the Graph API's own words is no doubt; in anybody else's it is.
	b := startWhatsApp(t, &channeltest.Intake{})
	b.API("two").Script(channeltest.Answer{Status: 500, Body: body(131000)}, channeltest.Answer{Status: 500, Body: "oops"})
	if r, err := b.adapter.Send(t.Context(), out); err == nil {
		t.Errorf("%+v", r)
	}
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateUnknown {
		t.Errorf("%+v, %v", r, err)
	}
}

func throttled(b *bench, _ channel.Receipt, err error) bool {
	after, ok := errors.AsType[*channel.RetryAfterError](err)
	calls := b.API("two").Calls()
	_, errNext := b.adapter.Send(b.t.Context(), channel.Outbound{ID: "r9", Inbox: "one", To: channel.Address{Kind: "phone", Address: "+4930123456"}, Content: channel.Content{Text: "x"}})
	return ok && after.After == time.Minute && errNext != nil && b.API("two").Calls() == calls
}

func TestWhatsAppFetchFake(t *testing.T) {
	t.Parallel()
	b := startWhatsApp(t, &channeltest.Intake{})
	f := b.adapter.(channel.Fetcher)
	b.files["seven"] = []byte("the file")
	rc, err := f.Fetch(t.Context(), "one", channel.Attachment{Remote: "media-7"})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); err != nil || string(got) != "the file" {
		t.Errorf("%q, %v", got, err)
	}
	for _, id := range []string{"media-8", "media-evil"} {
		if _, err := f.Fetch(t.Context(), "one", channel.Attachment{Remote: id}); !errors.Is(err, channel.ErrGone) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestWhatsAppSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := meta.WhatsAppChannel(nil).Check
	good := func() map[string]string {
		return map[string]string{"account_id": account, "access_token": token, "app_secret": newSecret, "verify_token": "12345678"}
	}
	if err := check(good()); err != nil {
		t.Error(err)
	}
	for want, set := range map[string][2]string{
		"account_id: \"+49\" is not an id":        {"account_id", "+49"},
		"access_token: is missing":                {"access_token", ""},
		"app_secret: a secret has 3 characters":   {"app_secret", "abc"},
		"verify_token: has 2 characters":          {"verify_token", "ab"},
		"api_version: \"latest\" is not a":        {"api_version", "latest"},
		"mark_read: \"yes\" is not one of on, of": {"mark_read", "yes"},
	} {
		s := good()
		s[set[0]] = set[1]
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", set, err, want)
		}
	}
}

func TestWhatsAppSettingsAreTriedFake(t *testing.T) {
	t.Parallel()
	b := startWhatsApp(t, &channeltest.Intake{})
	in, _ := b.inboxes.Get("one")
	if err := meta.WhatsAppChannel(b.Client()).Test(t.Context(), in); err != nil {
		t.Error(err)
	}
	in.Settings["access_token"] = "EAAwrong"
	if err := meta.WhatsAppChannel(b.Client()).Test(t.Context(), in); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
}

func FuzzParseWhatsApp(f *testing.F) {
	fuzzParse(f, meta.WhatsApp, "whatsapp_", meta.WhatsAppParser{})
}

// An app's secret opens the inboxes that have it, and no other's.
func TestAnotherAppsInboxIsNotReached(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := startWhatsApp(t, in)
	b.inboxes.Set("two", "app_secret", "another_apps_secret_of_32_bytes_")
	if code := b.hook([]byte(strings.Replace(string(file(t, "whatsapp_text")), account, elsewhere, 1))); code != http.StatusOK || len(in.Taken()) != 1 {
		t.Fatalf("%d, %d inputs", code, len(in.Taken()))
	}
	if raw := in.Taken()[0]; raw.Inbox != "one" {
		t.Errorf("it is in inbox %s", raw.Inbox)
	} else if _, err := b.adapter.Parse(raw); err == nil {
		t.Error("it is read as if it were this inbox's")
	}
}
