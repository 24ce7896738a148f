//go:build rig

package rig_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// odd is a mail that programs of the world really write, and what an agent must see of it.
type odd struct {
	name     string
	from     string   // the whole field; empty: an address of the name's
	head     []string // more fields, one a line
	noID     bool
	body     string
	subject  string
	text     string
	html     []string // all in it
	noHTML   []string // none in it
	files    []file
	unparsed string // begins so
}

// file is an attachment with what must come out of a download.
type file struct {
	name, kind, cid string
	data            []byte
}

func (o odd) address() string { return o.name + "@tough.example.org" }

func (o odd) bytes() []byte {
	from := o.from
	if from == "" {
		from = o.address()
	}
	lines := []string{"From: " + from, "To: " + support, "Date: Mon, 02 Mar 2026 10:00:00 +0100", "MIME-Version: 1.0"}
	if !o.noID {
		lines = append(lines, "Message-ID: <"+o.name+"@tough.example.org>")
	}
	return []byte(strings.Join(append(lines, o.head...), "\r\n") + "\r\n\r\n" + o.body)
}

// tough sends all of them, then looks at one after the other.
func (w *world) tough(t *testing.T) {
	for _, o := range oddMails(t) {
		if o.noID { // OpenSMTPD would write one
			w.deliver(t, o.address(), support, o.bytes())
			continue
		}
		w.submit(t, o.address(), support, o.bytes())
	}
	for _, o := range oddMails(t) {
		t.Run(o.name, func(t *testing.T) { w.look(t, o, w.untilSaid(t, o.address(), 1)[0].GetMessage()) })
	}
	t.Run("one id, two mails", w.sameID)
}

func (w *world) look(t *testing.T, o odd, m *inboxv1.Message) {
	if m.GetSubject() != o.subject {
		t.Errorf("subject %q, want %q", m.GetSubject(), o.subject)
	}
	if m.GetText() != o.text {
		t.Errorf("text %q, want %q", m.GetText(), o.text)
	}
	for _, s := range o.html {
		if !strings.Contains(m.GetHtml(), s) {
			t.Errorf("html lacks %q: %s", s, m.GetHtml())
		}
	}
	for _, s := range o.noHTML {
		if strings.Contains(strings.ToLower(m.GetHtml()), s) {
			t.Errorf("html has %q: %s", s, m.GetHtml())
		}
	}
	if o.unparsed == "" && m.GetUnparsed() != "" || !strings.HasPrefix(m.GetUnparsed(), o.unparsed) || o.unparsed != "" && !slices.Contains(m.GetFlags(), "unparsed") {
		t.Errorf("unparsed %q %q, want %q", m.GetUnparsed(), m.GetFlags(), o.unparsed)
	}
	if len(m.GetAttachments()) != len(o.files) {
		t.Fatalf("attachments %v, want %d", m.GetAttachments(), len(o.files))
	}
	for i, f := range o.files {
		a := m.GetAttachments()[i]
		if a.GetName() != f.name || a.GetContentType() != f.kind || a.GetContentId() != f.cid || a.GetInline() != (f.cid != "") || a.GetSize() != int64(len(f.data)) {
			t.Errorf("attachment %v, want %s, %s, %q, %d bytes", a, f.name, f.kind, f.cid, len(f.data))
		}
		if got := w.download(t, "/attachments/"+a.GetId()); !bytes.Equal(got, f.data) {
			t.Errorf("%s: %d other bytes came: %.100q", f.name, len(got), got)
		}
	}
	original := w.download(t, "/originals/"+m.GetOriginal())
	if mails := w.stored(t, o.address()); len(mails) != 1 || !bytes.Equal(original, mails[0]) {
		t.Errorf("the original has %d bytes, not those of the %d mails in the mailbox", len(original), len(mails))
	}
	// Servers only put fields in front, and Dovecot a line end behind a mail without one.
	if _, sent, _ := bytes.Cut(o.bytes(), []byte("\r\n")); !bytes.HasSuffix(bytes.TrimRight(original, "\r\n"), bytes.TrimRight(sent, "\r\n")) {
		t.Errorf("the original does not end with the mail as it was sent")
	}
}

// stored is a sender's mails as they lie in the mailbox, with the line ends of the wire.
func (w *world) stored(t *testing.T, from string) (mails [][]byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, "mail/alice/*/*,*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // Dovecot has just moved it
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(b, []byte("Return-Path: <"+from+">\n")) {
			mails = append(mails, bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")))
		}
	}
	return mails
}

// sameID: two mails of one Message-ID are two, one mail that comes twice is one.
func (w *world) sameID(t *testing.T) {
	const ida = "ida@tough.example.org"
	for i, text := range []string{"The first.", "The second."} {
		w.submit(t, ida, support, post(ida, "Same id", "same@tough.example.org", text))
		w.untilSaid(t, ida, i+1)
	}
	w.submit(t, ida, support, post(ida, "Same id", "same@tough.example.org", "The first."))
	until(t, "the mail that comes twice", func() bool { return len(w.stored(t, ida)) == 3 })
	w.submit(t, ida, support, post(ida, "End", "end@tough.example.org", "The end."))
	var texts []string
	for _, e := range w.untilSaid(t, ida, 3) {
		texts = append(texts, e.GetMessage().GetText())
	}
	if fmt.Sprint(texts) != "[The first. The second. The end.]" {
		t.Errorf("messages %q", texts)
	}
}
