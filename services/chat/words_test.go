package chat_test

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/chat"
)

func TestTheSitesWordsByLanguage(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{
		"greeting": "Hello.", "form_question": "required", "form_consent": "Agree?",
		"texts": "de.greeting = Guten Tag = gut\nde.name = Laden\nde.consent=Einverstanden?\n",
	})
	for lang, want := range map[string][]string{"de": {"Laden", "Guten Tag = gut", "Einverstanden?"}, "fr": {"Shop chat", "Hello.", "Agree?"}, "../x": {"Shop chat", "Hello.", "Agree?"}} {
		f := w.visit(frame{"lang": lang}).await("welcome")
		form, _ := f["form"].(map[string]any)
		if f.str("name") != want[0] || f.str("greeting") != want[1] || form["consent"] != want[2] {
			t.Errorf("%s: %v", lang, f)
		}
	}
}

// TestAGreetingNobodyChoseIsTheWidgetsOwn: it says it in the visitor's language; the default of old is stored with inboxes and nobody's choice.
func TestAGreetingNobodyChoseIsTheWidgetsOwn(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]map[string]string{"none": {}, "the default of old": {"greeting": "Hello! How can we help?"}} {
		if f := start(t, set).visit(frame{"lang": "ar"}).await("welcome"); f["greeting"] != nil {
			t.Errorf("%s: %v", name, f["greeting"])
		}
	}
	for _, s := range chat.Channel().Settings {
		if s.Key == "greeting" && s.Default != "" {
			t.Errorf("default %q would be stored as the site's own words", s.Default)
		}
	}
}

func TestSettingsOfTheWidgetNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	check := chat.Channel().Check
	for _, c := range []struct{ key, value, want string }{
		{"form_name", "yes", "form_name: "},
		{"form_question_text", strings.Repeat("x", 201), "form_question_text: longer than 200"},
		{"form_consent", strings.Repeat("x", 2001), "form_consent: longer than 2000"},
		{"time_zone", "Mars/Olympus", "time_zone: "},
		{"time_zone", "Local", "time_zone: "},
		{"hours", "mon-fri", "hours: "},
		{"hours", "mon-fri 9-17", "hours: "},
		{"hours", "mo 09:00-17:00", `hours: "mo 09:00-17:00": "mo" is not a day`},
		{"hours", "mon 25:00-26:00", "hours: "},
		{"hours", "mon 09:00-09:00", "hours: "},
		{"holidays", "yesterday", "holidays: "},
		{"holidays", "2026-02-30", "holidays: "},
		{"language", "tlh", "language: "},
		{"texts", "greeting = x", "texts: entry 1"},
		{"texts", "de.greeting = x\nde.colour = red", "texts: entry 2"},
		{"texts", "de.greeting = " + strings.Repeat("x", 501), "texts: entry 1: longer than 500"},
		{"invitations", "/cart | 20", "invitations: entry 1"},
		{"invitations", "cart | 20 | Hello", `"cart" is not a path`},
		{"invitations", "/cart | soon | Hello", `"soon" is not a number`},
		{"invitations", "/cart | 3601 | Hello", "from 0 to 3600"},
		{"invitations", "/cart | 1 | " + strings.Repeat("x", 301), "1 to 300"},
		{"invitations", "/cart | 1 | Hello | Hallo", "text 2 does not begin with a language"},
		{"invitations", "/a*b*c*d*e*f* | 1 | Hello", "5 stars"},
		{"invitations", strings.Repeat("/x | 1 | y\n", 21), "at most 20"},
	} {
		err := check(map[string]string{c.key: c.value})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.60q: %v, want %q", c.key, c.value, err, c.want)
		}
	}
	good := map[string]string{
		"time_zone": "Europe/Berlin", "hours": "mon-fri 09:00-12:00 13:00-17:00; sat,sun 22:00-02:00", "holidays": "12-25, 2026-12-24 09:00-12:00",
		"language": "he", "texts": `de.greeting = Hallo\nfr.closed = Fermé`, "invitations": "/cart* | 20 | Need help? | de: Hilfe?\nhttps://shop.example/* | 0 | Hi",
	}
	if err := check(good); err != nil {
		t.Error(err)
	}
	for _, s := range chat.Channel().Settings {
		if s.Label == "" || s.Help == "" && len(s.Values) == 0 {
			t.Errorf("%s has no label or help", s.Key)
		}
	}
}

// What is in the loader came from a setting: it stays a string of JSON, whatever it says.
func TestInvitationsCannotBreakOutOfTheLoader(t *testing.T) {
	t.Parallel()
	evil := `</script><img src=x onerror=alert(1)> "'); alert(1); (' ` + "\u2028" + ` \" #0c0ffe "#about"`
	w := start(t, map[string]string{"invitations": "/* | 1 | " + evil, "language": "de"})
	body, err := io.ReadAll(w.get("/chat/shop/loader.js", "").Body)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`JSON\.parse\(("(?:[^"\\]|\\.)*")\)`).FindSubmatch(body)
	if found == nil {
		t.Fatal("the loader knows nothing of its inbox")
	}
	var inner string
	var about struct {
		I, L string
		G    []struct {
			I string
			S int
			T map[string]string
		}
	}
	if err := json.Unmarshal(found[1], &inner); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(inner), &about); err != nil {
		t.Fatal(err)
	}
	if about.I != "shop" || about.L != "de" || len(about.G) != 1 || about.G[0].T[""] != evil {
		t.Errorf("%+v", about)
	}
	for _, bad := range []string{"</script", "\u2028", "<img"} {
		if strings.Contains(string(body), bad) {
			t.Errorf("the loader has %q in clear", bad)
		}
	}
	if res := w.get("/chat/shop/invite.js", ""); res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("another site's page cannot fetch what shows invitations")
	}

	// Whoever answers is shown to agents with what he was asked; nobody else's words get in.
	v := w.visit(frame{"lang": "de"})
	v.await("welcome")
	for i, invite := range []string{about.G[0].I, "ffffffff"} {
		m := message(i+1, "yes please")
		m["invite"] = invite
		v.send(m)
		v.await("ack")
	}
	for i, want := range []string{evil, ""} {
		items, err := chat.Parser{}.Parse(w.hub.raw(i))
		if err != nil {
			t.Fatal(err)
		}
		if got := items[0].Message.Content; got.Quoted != want || got.Text != "yes please" {
			t.Errorf("%+v", got)
		}
	}
}

// The visitor is told when opening time comes, and messages are taken all the while.
func TestHoursAreTold(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 16, 59, 59, 500_000_000, time.UTC) // a Friday
	w := start(t, map[string]string{"hours": "mon-fri 09:00-17:00", "texts": "de.closed = Zu."}, func(d *chat.Deps) {
		begin := time.Now()
		d.Now = func() time.Time { return now.Add(time.Since(begin)) }
	})
	v := w.visit(frame{"lang": "de"})
	f, _ := v.await("welcome")["hours"].(map[string]any)
	if f["open"] != true || f["until"] != "2026-11-27T17:00:00.000Z" {
		t.Fatalf("%v", f)
	}
	f, _ = v.await("hours")["hours"].(map[string]any)
	if f["open"] != false || f["until"] != "2026-11-30T09:00:00.000Z" || f["text"] != "Zu." {
		t.Errorf("%v", f)
	}
	v.send(message(1, "still there?"))
	v.await("ack")
}
