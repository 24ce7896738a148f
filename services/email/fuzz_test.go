package email_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/services/email"
)

// FuzzParse: no mail panics; what comes out is valid UTF-8, has an id, and is the same again.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(readCase(f, file))
	}
	p := testParser()
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := p.Parse(testRaw(body))
		if err != nil {
			if strings.HasPrefix(err.Error(), "parse mail: panic") {
				t.Fatalf("a panic: %v", err)
			}
			return
		}
		if len(items) != 1 || (items[0].Message == nil) == (items[0].Receipt == nil) {
			t.Fatalf("got %d items, want one of one kind", len(items))
		}
		m := items[0].Message
		if m == nil {
			return
		}
		if m.ID == "" || m.From.Address == "" || m.From.Kind != "email" {
			t.Errorf("message without id or sender: %q %q", m.ID, m.From)
		}
		for name, s := range map[string]string{"id": m.ID, "subject": m.Content.Subject, "text": m.Content.Text, "quoted": m.Content.Quoted, "html": m.Content.HTML, "name": m.From.Name, "address": m.From.Address} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("%s is not clean text: %q", name, s)
			}
		}
		if strings.ContainsAny(m.Content.Subject+m.From.Name+m.From.Address, "\r\n") {
			t.Error("a header value has line ends")
		}
		for _, a := range m.Content.Attachments {
			if strings.ContainsAny(a.Name, "/\\\x00\r\n") {
				t.Errorf("attachment name %q", a.Name)
			}
			data, _, err := p.OpenPart(testRaw(body), a.Part)
			if err != nil || int64(len(data)) != a.Size {
				t.Errorf("open part %q: %d bytes, want %d (%v)", a.Part, len(data), a.Size, err)
			}
		}
		if !m.OccurredAt.IsZero() && m.OccurredAt.Before(time.Date(1979, 12, 31, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("occurred at %s", m.OccurredAt)
		}
		again, err := p.Parse(testRaw(body))
		if err != nil || again[0].Message == nil || again[0].Message.ID != m.ID || again[0].Message.Content.Text != m.Content.Text {
			t.Error("parsed again it is another message")
		}
	})
}

// FuzzQuote: every line of the input is in the text or in the quoted part, in order.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{
		"", "a", "a\n> b", "> a", "On Mon, 1 Jan 2026 x wrote:\n> a\n\nb", "Hi\n\n-----Original Message-----\nFrom: x\n",
		"a\n\nOn 1.1.2026 a@b wrote:\n> b\nc\n> d", "Von: a\nGesendet: b\nAn: c\n\nd", "x\n____________________\nFrom: a\nSent: b\nTo: c\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, quoted := email.SplitQuote(s)
		if strings.TrimSpace(s) != "" && strings.TrimSpace(text) == "" {
			t.Error("text is empty")
		}
		want := contentLines(s)
		got := append(contentLines(text), contentLines(quoted)...)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("lines changed:\nwant %q\ngot  %q", want, got)
		}
	})
}

func contentLines(s string) []string {
	var out []string
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimRight(l, " \t\r"); strings.TrimSpace(l) != "" {
			out = append(out, l)
		}
	}
	return out
}

// FuzzSanitise: sanitising twice is sanitising once, and nothing that acts or loads is left.
func FuzzSanitise(f *testing.F) {
	files, err := filepath.Glob("testdata/html/*.html")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for l := range strings.SplitSeq(string(b), "\n") {
			f.Add(l)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := email.Sanitise(s)
		checkHarmless(t, once)
		if twice := email.Sanitise(once); twice != once {
			t.Errorf("not stable:\n once %q\ntwice %q", once, twice)
		}
	})
}
