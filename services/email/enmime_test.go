package email_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"
	"github.com/weftline/weftline/pkg/channel"
)

// Where a mail is well formed, another implementation reads the same text and
// the same files. The exceptions differ on purpose.
func TestAgreesWithEnmime(t *testing.T) {
	t.Parallel()
	differ := map[string]string{
		"apple_text_pdf_text":       "it puts -- between texts",
		"boundary_prefix":           "it puts -- between texts",
		"base64_garbage":            "it gives up",
		"qp_broken":                 "trailing blanks",
		"flowed":                    "it leaves soft line ends",
		"header_missing_blank_line": "it drops the body",
		"filename_tricks":           "it shows the names as they are",
		"utf7_is_not_read":          "it reads UTF-7",
		"unknown_charset":           "it leaves the bytes",
		"no_charset_8bit":           "it guesses",
		"latin1_declared_utf8":      "it leaves the bytes",
		"utf8_declared_latin1":      "it believes the declaration",
		"content_type_duplicate":    "it takes the last",
		"content_type_garbage":      "it takes it for a file",
		"boundary_missing":          "it shows nothing",
		"boundary_never_comes":      "it shows nothing",
		"mbox_from_line":            "it refuses the mail",
		"cp1252_declared_latin1":    "it believes the declaration",
		"emoji_name":                "it believes in ASCII",
		"rtl_hebrew":                "it believes in ASCII",
		"utf16_base64":              "it keeps the byte order mark",
		"digest":                    "it takes the parts for text",
	}
	files, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	p := testParser()
	compared := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".eml")
		raw := readCase(t, file)
		items, err := p.Parse(testRaw(raw))
		if err != nil || items[0].Message == nil || differ[name] != "" {
			continue
		}
		env, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		if err != nil {
			t.Errorf("%s: enmime: %v", name, err)
			continue
		}
		c := items[0].Message.Content
		if plain := env.Root.DepthMatchFirst(func(p *enmime.Part) bool {
			return (p.ContentType == "text/plain" || p.ContentType == "") && p.Disposition != "attachment"
		}); plain != nil {
			want, got := words(env.Text), words(c.Text+"\n"+c.Quoted)
			slices.Sort(want) // quoted text stands behind the text
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s: text %q, enmime has %q", name, got, want)
			}
			compared++
		}
		var theirs []string
		for _, part := range append(append(env.Attachments, env.Inlines...), env.OtherParts...) {
			if part.FileName != "" {
				theirs = append(theirs, part.FileName)
			}
		}
		for _, f := range theirs {
			if !slices.ContainsFunc(c.Attachments, func(a channel.Attachment) bool { return a.Name == f }) {
				t.Errorf("%s: file %q is missing in %+v", name, f, c.Attachments)
			}
		}
	}
	if compared < 50 {
		t.Errorf("compared %d mails only", compared)
	}
}

func words(s string) []string { return strings.Fields(s) }
