package meta_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/meta"
)

// templates is GET /<WABA id>/message_templates, in pages of two however many are asked for.
func (b *bench) templates(args map[string]any) any {
	known(b.t, args, "fields", "limit", "after", "appsecret_proof")
	if n, err := strconv.Atoi(fmt.Sprint(args["limit"])); err != nil || n < 1 || n > 100 || !strings.Contains(fmt.Sprint(args["fields"]), "components") {
		b.t.Errorf("asked with %v", args)
	}
	raw, err := os.ReadFile("testdata/templates.json")
	if err != nil {
		b.t.Error(err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		b.t.Error(err)
	}
	from := 0
	if after, ok := args["after"].(string); ok {
		if _, err := fmt.Sscanf(after, "QVFI%d", &from); err != nil {
			b.t.Errorf("cursor %q was never given", after)
		}
	}
	to := min(from+2, len(all))
	paging := map[string]any{"cursors": map[string]string{"before": fmt.Sprintf("QVFI%d", from), "after": fmt.Sprintf("QVFI%d", to)}}
	if to < len(all) {
		paging["next"] = "https://graph.facebook.com/elsewhere" // it is not followed
	}
	return map[string]any{"data": all[from:to], "paging": paging}
}

func TestTemplatesAreListedAgainstOurFake(t *testing.T) {
	t.Parallel()
	b := startWhatsApp(t, &channeltest.Intake{})
	lists := b.adapter.(channel.Templater)
	if _, err := lists.Templates(t.Context(), "one"); !errors.Is(err, channel.ErrNoTemplates) || !strings.Contains(err.Error(), "business_id") {
		t.Errorf("without the account's id: %v", err)
	}
	b.inboxes.Set("one", "business_id", waba)
	got, err := lists.Templates(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	want := []channel.TemplateText{
		{Name: "order_ready", Language: "en-US", Category: "utility", Header: "Your order", Body: "Hello {{1}}, your order {{2}} is ready.", Footer: "Weft & Co.", Places: 2, Examples: []string{"Ada", "1042"}},
		{Name: "hours", Language: "de", Category: "marketing", Body: "Wir haben geöffnet."},
		{Name: "picture", Language: "en", Category: "marketing", Body: "Look.", Unusable: "its head is a file or a place (image), which the hub does not fill in"},
		{Name: "named", Language: "en", Category: "utility", Body: "Dear {{first_name}}", Unusable: "its places have names, which the hub does not fill in"},
		{Name: "track", Language: "en", Category: "utility", Body: "On its way.", Unusable: "one of its buttons has a place, which the hub does not fill in"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	calls := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.other)
	}
	before := calls()
	if _, err := lists.Templates(t.Context(), "one"); err != nil || calls() != before {
		t.Errorf("asked again within five minutes: %v", err)
	}
}

func TestLiveTestNamesTheNumberAndTheTemplates(t *testing.T) {
	t.Parallel()
	b := startWhatsApp(t, &channeltest.Intake{})
	b.inboxes.Set("one", "business_id", waba)
	in, _ := b.inboxes.Get("one")
	steps := meta.WhatsAppChannel(b.Client()).Steps(t.Context(), in)
	if len(steps) != 2 || steps[0].Err != nil || steps[0].Detail != "15550783881" || steps[1].Err != nil {
		t.Errorf("%+v", steps)
	}
	in.Settings["access_token"] = "EAAanotherTokenAltogether"
	if steps := meta.WhatsAppChannel(b.Client()).Steps(t.Context(), in); len(steps) != 1 || steps[0].Err == nil {
		t.Errorf("%+v", steps)
	}
}

func TestOwnNumberIsReadWhereItIsDialled(t *testing.T) {
	t.Parallel()
	check := meta.WhatsAppChannel(http.DefaultClient).Check
	base := map[string]string{"account_id": account, "access_token": token, "app_secret": newSecret, "verify_token": "a word of ours"}
	with := func(more ...string) map[string]string {
		s := map[string]string{}
		for k, v := range base {
			s[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			s[more[i]] = more[i+1]
		}
		return s
	}
	for want, s := range map[string]map[string]string{
		"":                    with("number", "+493012345678", "region", "de"),
		"region: \"Germany\"": with("region", "Germany"),
		"number: \"0301\"":    with("number", "0301"),
		"business_id: \"x\"":  with("business_id", "x"),
	} {
		err := check(s)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("wanted %q: %v", want, err)
		}
	}
	if n, numbers := meta.WhatsAppNumber(with("number", "+49 30 12345678")); numbers.Normalise("phone", n) != "+493012345678" || numbers.Normalise("phone", "030 12345678") != "+493012345678" {
		t.Errorf("%s %+v", n, numbers)
	}
}
