package sms_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/sms"
	"github.com/weftline/weftline/services/sms/smpp"
)

func stored(provider, body string) channel.Raw {
	return channel.Raw{
		Channel: sms.Name, Inbox: "main", ProviderID: "p", ReceivedAt: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
		ContentType: "application/vnd.weftline.sms; provider=" + provider + "; region=US", Body: []byte(body),
	}
}

// TestSamples reads inputs shaped as each provider documents them.
func TestSamples(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ id, from, to, text, files string }{
		"twilio.form":       {"SM11111111111111111111111111111111", "+14155550123", "+15005550006", "Where is my order? שלום 👋", ""},
		"twilio.mms.form":   {"MM22222222222222222222222222222222", "+14155550123", "+15005550006", "", "picture-1.jpg file-2.vcf"},
		"telnyx.json":       {"7ee4241c-f127-47e5-9c34-3aac291f8058", "+18665550001", "+18445550001", "Hello, World!", "picture-1.png"},
		"vonage.json":       {"aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "+447700900001", "+447700900000", "Hello From Vonage!", ""},
		"vonage.image.json": {"aaaaaaaa-bbbb-cccc-dddd-0123456789ac", "+447700900001", "+447700900000", "A caption", "picture-1"},
		"messagebird.form":  {"e8077d803532c0b5937c639b60216938", "+31612345678", "+31201234567", "Hi! This is a message", ""},
		"messagebird.json":  {"e8077d803532c0b5937c639b60216939", "+31612345678", "+31201234567", "Hi! This is JSON", ""},
		"plivo.form":        {"5b40a428-bfc7-4daf-9d06-726c558bf3b8", "+14155550123", "+15005550006", "Hello, from Plivo", ""},
	} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		provider, _, _ := strings.Cut(name, ".")
		items, err := sms.Parser{}.Parse(stored(provider, strings.TrimSpace(string(b))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m := items[0].Message
		var files []string
		for _, f := range m.Content.Attachments {
			files = append(files, f.Name)
		}
		got := struct{ id, from, to, text, files string }{m.ID, m.From.Address, m.To[0].Address, m.Content.Text, strings.Join(files, " ")}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]channel.ConsentWish{
		"STOP": channel.OptOut, " stop.\n": channel.OptOut, "Stop all": channel.OptOut, "Arrêt": channel.OptOut, "СТОП": channel.OptOut, "Quit!": channel.OptOut, "הסר": channel.OptOut,
		"START": channel.OptIn, "unstop": channel.OptIn,
		"YES": "", "please stop": "", "stop by at five": "", "the end": "", "STOP?": "", "": "", "HELP": "", strings.Repeat("stop ", 50): "",
	} {
		raw := stored("plivo", "MessageUUID=m&From=14155550123&To=15005550006&Text="+strings.ReplaceAll(text, " ", "+")+"&X=")
		items, err := sms.Parser{}.Parse(raw)
		if text == "" {
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		m := items[0].Message
		if m.Consent != want || m.Content.Text != text {
			t.Errorf("%q: wish %q, want %q; %q", text, m.Consent, want, m.Content.Text)
		}
		if help := len(m.Flags) == 1 && m.Flags[0] == "help"; help != (text == "HELP") {
			t.Errorf("%q: %v", text, m.Flags)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]channel.Address{
		"+14155550123":      {Kind: "phone", Address: "+14155550123"},
		"14155552671":       {Kind: "phone", Address: "+14155552671"},
		"447911123456":      {Kind: "phone", Address: "+447911123456"},
		"4155552671":        {Kind: "phone", Address: "+14155552671"}, // at home in the US
		"0049 170 1234567":  {Kind: "phone", Address: "+491701234567"},
		"+1 (415) 555-2671": {Kind: "phone", Address: "+14155552671"},
		"12345":             {Kind: "phone", Address: "12345", Scope: "main"},
		"BANK":              {Kind: "phone", Address: "BANK", Scope: "main"},
		"+":                 {Kind: "phone", Address: "+", Scope: "main"},
	} {
		items, err := sms.Parser{}.Parse(stored("twilio", "MessageSid=m&Body=x&From="+strings.ReplaceAll(strings.ReplaceAll(in, "+", "%2B"), " ", "+")))
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		m := items[0].Message
		if m.From != want || (m.Assurance == 2) != (want.Scope == "") {
			t.Errorf("%q: %+v at %d, want %+v", in, m.From, m.Assurance, want)
		}
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := sms.Channel(nil, nil).Check
	with := func(s map[string]string, key, value string) map[string]string {
		out := map[string]string{"number": ours}
		for k, v := range s {
			out[k] = v
		}
		out[key] = value
		return out
	}
	tw := map[string]string{"provider": "twilio", "account": "AC1", "api_key": "0123456789"}
	sc := map[string]string{"provider": "smpp", "smpp_address": "smsc.example:2775", "smpp_system_id": "foo", "smpp_password": "bar"}
	for want, s := range map[string]map[string]string{
		"provider: is missing":                          with(tw, "provider", ""),
		"provider: \"pigeon\" is not one of":            with(tw, "provider", "pigeon"),
		"number: is missing":                            with(tw, "number", ""),
		"account: is missing: twilio needs it":          with(tw, "account", ""),
		"api_key: is missing: twilio needs it":          with(tw, "api_key", ""),
		"api_key: holds 3 secrets":                      with(tw, "api_key", "aaaaaaaa bbbbbbbb cccccccc"),
		"max_parts: \"11\" is not 1 to 10":              with(tw, "max_parts", "11"),
		"region: \"XX\" is not a country":               with(tw, "region", "XX"),
		"api_url: \"x\" is not an address":              with(tw, "api_url", "x"),
		"signing_key: is not a public key":              with(map[string]string{"provider": "telnyx", "api_key": "KEY12345"}, "signing_key", "0123456789"),
		"signing_key: is missing: vonage needs it":      with(map[string]string{"provider": "vonage", "api_key": "KEY12345"}, "account", "a"),
		"signing_key: is missing: messagebird needs it": with(map[string]string{"provider": "messagebird"}, "api_key", "KEY12345"),
		"smpp_address: \"smsc\" is not host and port":   with(sc, "smpp_address", "smsc"),
		"smpp_system_id: has 16 characters, at most 15": with(sc, "smpp_system_id", strings.Repeat("x", 16)),
		"smpp_window: \"0\" is not 1 to 100":            with(sc, "smpp_window", "0"),
		"smpp_ids: \"octal\" is not one of":             with(sc, "smpp_ids", "octal"),
		"smpp_bind: \"both\" is not one of":             with(sc, "smpp_bind", "both"),
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		}
	}
	for _, s := range []map[string]string{with(tw, "max_parts", "3"), with(sc, "smpp_tls", "off")} {
		if err := check(s); err != nil {
			t.Error(err)
		}
	}
}

// FuzzParse: any bytes of any provider give an error or one sound item.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil || len(names) == 0 {
		f.Fatal("no samples")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		provider, _, _ := strings.Cut(filepath.Base(name), ".")
		f.Add(provider, "", b)
	}
	body, _ := said("hello €").Encode()
	f.Add("smpp", "", smpp.PDU{Command: smpp.DeliverSM, Seq: 1, Body: body}.Bytes())
	f.Add("twilio", "reply-1", []byte("MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005"))
	f.Fuzz(func(t *testing.T, provider, outbound string, body []byte) {
		raw := stored(provider, string(body))
		if outbound != "" {
			raw.ContentType += "; outbound=" + outbound
		}
		items, err := sms.Parser{}.Parse(raw)
		if err != nil {
			return
		}
		if len(items) != 1 || (items[0].Message == nil) == (items[0].Receipt == nil) {
			t.Fatalf("%+v", items)
		}
		if m := items[0].Message; m != nil && (m.ID == "" || m.From.Address == "" || m.From.Kind == "") {
			t.Errorf("%+v", m)
		}
		if r := items[0].Receipt; r != nil && (r.Outbound == "" || r.State == "") {
			t.Errorf("%+v", r)
		}
	})
}
