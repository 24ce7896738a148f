package email_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
)

// tortured is a row of testdata/torture/index.md.
type tortured struct{ name, why, see string }

func torture(t testing.TB) (rows []tortured) {
	t.Helper()
	b, err := os.ReadFile("testdata/torture/index.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		cols := strings.Split(strings.TrimSpace(line), " | ")
		if len(cols) != 3 || !strings.HasPrefix(line, "| ") || cols[0] == "| name" {
			continue
		}
		rows = append(rows, tortured{strings.TrimPrefix(cols[0], "| "), cols[1], strings.TrimSuffix(cols[2], " |")})
	}
	return rows
}

// Every mail of the set is read as the table says, whatever it is made of.
func TestTorture(t *testing.T) {
	t.Parallel()
	rows := torture(t)
	files, err := filepath.Glob("testdata/torture/*.eml")
	if err != nil || len(files) < 100 || len(rows) != len(files) {
		t.Fatalf("%d mails and %d rows; at least 100 mails, and a row for each (%v)", len(files), len(rows), err)
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile("testdata/torture/" + r.name + ".eml")
			if err != nil {
				t.Fatal(err)
			}
			if r.why == "" || r.see == "" {
				t.Error("a row without a reason, or without what must be seen")
			}
			raw := testRaw(b)
			items, err := testParser().Parse(raw)
			if want, ok := strings.CutPrefix(r.see, "error "); ok {
				var over *email.LimitError
				if !errors.As(err, &over) || over.What != want {
					t.Errorf("error %v, want the limit of %s", err, want)
				}
				if testParser().Identify(raw) == "" {
					t.Error("it has no name")
				}
				return
			}
			if err != nil || len(items) != 1 || items[0].Message == nil {
				t.Fatalf("items %+v (%v)", items, err)
			}
			m := items[0].Message
			for want := range strings.SplitSeq(r.see, "; ") {
				if !sees(m, want) {
					t.Errorf("%s: not seen (%s)\nfrom %q <%s> level %d flags %v refs %d references %d at %s\nsubject %q\ntext %.300q\nhtml %.300q\nfiles %+v",
						want, r.why, m.From.Name, m.From.Address, m.Assurance, m.Flags, len(m.Refs), len(m.References), m.OccurredAt.Format(time.RFC3339),
						m.Content.Subject, m.Content.Text, m.Content.HTML, m.Content.Attachments)
				}
			}
			sound(t, raw, m)
		})
	}
}

// sees says whether one thing of a row's last column holds.
func sees(m *channel.Message, want string) bool {
	key, v, _ := strings.Cut(want, " ")
	exact := func(have string) bool {
		if start, ok := strings.CutPrefix(v, "~"); ok {
			return strings.HasPrefix(have, start)
		}
		return have == v
	}
	number := func(have int) bool { return strconv.Itoa(have) == v }
	switch key {
	case "from":
		return v == "unknown" && strings.HasSuffix(m.From.Address, "@sender.invalid") || m.From.Address == v
	case "name":
		return exact(m.From.Name)
	case "subject":
		return exact(m.Content.Subject)
	case "oneline":
		return !strings.ContainsFunc(m.Content.Subject, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) && r != '\u200e' && r != '\u200f'
		})
	case "text":
		return strings.Contains(m.Content.Text+"\n"+m.Content.Quoted, v)
	case "notext":
		return !strings.Contains(m.Content.Text+"\n"+m.Content.Quoted, v)
	case "html":
		return strings.Contains(m.Content.HTML, v)
	case "nohtml":
		return !strings.Contains(strings.ToLower(m.Content.HTML), v)
	case "file":
		return slices.ContainsFunc(m.Content.Attachments, func(a channel.Attachment) bool { return a.Name == v })
	case "files":
		return number(len(m.Content.Attachments))
	case "flag":
		return slices.Contains(m.Flags, v)
	case "to":
		return slices.ContainsFunc(m.To, func(a channel.Address) bool { return a.Address == v })
	case "level":
		return number(m.Assurance)
	case "refs":
		return number(len(m.Refs))
	case "references":
		return number(len(m.References))
	case "noanswer":
		return m.Answers == "" && !m.AnswersFromSame
	case "date":
		return v == "none" && m.OccurredAt.IsZero() || m.OccurredAt.Format(time.RFC3339) == v
	}
	return false
}

// sound is what holds for every mail: nothing that goes on is broken text, every file opens, and reading it again gives the same.
func sound(t *testing.T, raw channel.Raw, m *channel.Message) {
	t.Helper()
	for _, s := range []string{m.ID, m.From.Address, m.From.Name, m.Content.Subject, m.Content.Text, m.Content.Quoted, m.Content.HTML} {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Errorf("not text: %.100q", s)
		}
	}
	for _, a := range m.Content.Attachments {
		if strings.ContainsAny(a.Name, "/\\\x00\r\n") || a.Name == "" {
			t.Errorf("name of a file: %q", a.Name)
		}
		if data, _, err := testParser().OpenPart(raw, a.Part); err != nil || int64(len(data)) != a.Size {
			t.Errorf("file %s: %d bytes, said %d (%v)", a.Name, len(data), a.Size, err)
		}
	}
	again, err := testParser().Parse(raw)
	if err != nil || again[0].Message.ID != m.ID || again[0].Message.Content.Text != m.Content.Text {
		t.Errorf("read again it is another mail: %v", err)
	}
}

// Two mails with one Message-ID are two messages.
func TestTortureOneIDTwoMails(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, r := range torture(t) {
		if r.name == "header_two_subjects" || r.name == "id_of_another_mail" {
			b, err := os.ReadFile("testdata/torture/" + r.name + ".eml")
			if err != nil {
				t.Fatal(err)
			}
			items, err := testParser().Parse(testRaw(b))
			if err != nil {
				t.Fatal(err)
			}
			ids[items[0].Message.ID] = true
			if items[0].Message.Refs[0] != "header_two_subjects@torture.test" {
				t.Errorf("refs %v", items[0].Message.Refs)
			}
		}
	}
	if len(ids) != 2 {
		t.Errorf("%d messages, want 2", len(ids))
	}
}
