package demo

import (
	"bytes"
	"fmt"
	"mime"
	"time"

	"github.com/emersion/go-message/mail"
)

// The people of the demo. Their domain is reserved (RFC 2606), so it is no real
// person's, and yet not on the list of those that say nothing about who somebody
// is, as .test is: the demo shows how persons are recognised. Nothing is sent to
// it: the demo's inbox has a server of its own, which delivers nowhere.
const (
	ada     = "ada.obi@mail.example.org"
	adaName = "Ada Obi"
	adaSub  = "customer-1042"
)

// letter is one mail of the script.
type letter struct {
	id, from, name, subject, text, html string
	inReplyTo                           string
	references                          []string
	file                                *file
	automatic                           bool
	ago                                 time.Duration
}

type file struct {
	name, kind string
	data       []byte
}

// firstMails wait in the inbox at the first start.
func firstMails() []letter {
	return []letter{
		{
			id: "invoice-7731", from: "lina.haddad@mail.example.org", name: "Lina Haddad", ago: 26 * time.Hour,
			subject: "Rechnung 7731 – VAT number missing",
			text:    "Hello,\n\nour accounting needs the VAT number on invoice 7731. Could you send it again?\nThe invoice as we got it is attached.\n\nThank you,\nLina Haddad\nHaddad & Söhne GmbH\n",
			file:    &file{"invoice-7731.csv", "text/csv", []byte("item,amount\r\nChair,240.00\r\nDelivery,12.50\r\n")},
		},
		{
			id: "away", from: "marco.bianchi@mail.example.org", name: "Marco Bianchi", ago: 5 * time.Hour, automatic: true,
			subject: "Automatic reply: Your order has shipped",
			text:    "I am away until Monday and will read your message then.\n",
		},
		{
			id: "where-is-1042", from: ada, name: adaName, ago: 9 * time.Minute,
			subject: "Where is my order 1042?",
			text:    "Hi,\n\nmy order 1042 was due on Tuesday and the tracking has said \"in transit\" ever since.\nCan you find out where it is?\n\nAda\n",
			html:    "<p>Hi,</p><p>my order <b>1042</b> was due on Tuesday and the <a href=\"https://track.example.test/1042\">tracking</a> has said <i>“in transit”</i> ever since.</p><p>Can you find out where it is?</p><p>Ada</p>",
		},
	}
}

// chatLines are what the same customer says in the widget a moment later.
func chatLines() []string {
	return []string{
		"Hi! I wrote you a mail about order 1042 a few minutes ago.",
		"Is there any news? I would rather not explain it all again 🙂",
	}
}

// thanks is her answer to the first mail an agent sends her.
func thanks(subject, id, inReplyTo string, references []string) letter {
	return letter{
		id: id, from: ada, name: adaName, subject: "Re: " + subject, inReplyTo: inReplyTo, references: references,
		text: "That was quick, thank you!\n\nAda\n",
	}
}

// bytes composes the mail as a mail program would.
func (l letter) bytes(now time.Time) ([]byte, error) {
	var h mail.Header
	h.SetDate(now.Add(-l.ago))
	h.SetAddressList("From", []*mail.Address{{Name: l.name, Address: l.from}})
	h.SetAddressList("To", []*mail.Address{{Name: "Support", Address: login}})
	h.SetSubject(l.subject)
	h.SetMessageID(l.id + "@mail.example.org")
	if l.inReplyTo != "" {
		h.SetMsgIDList("In-Reply-To", []string{l.inReplyTo})
		h.SetMsgIDList("References", append(l.references, l.inReplyTo))
	}
	if l.automatic {
		h.Set("Auto-Submitted", "auto-replied")
	}
	var buf bytes.Buffer
	w, err := mail.CreateWriter(&buf, h)
	if err != nil {
		return nil, fmt.Errorf("compose demo mail: %w", err)
	}
	if err := l.body(w); err != nil {
		return nil, fmt.Errorf("compose demo mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compose demo mail: %w", err)
	}
	return buf.Bytes(), nil
}

func (l letter) body(w *mail.Writer) error {
	in, err := w.CreateInline()
	if err != nil {
		return err
	}
	for _, p := range []struct{ kind, text string }{{"text/plain", l.text}, {"text/html", l.html}} {
		if p.text == "" {
			continue
		}
		var h mail.InlineHeader
		h.SetContentType(p.kind, map[string]string{"charset": "utf-8"})
		part, err := in.CreatePart(h)
		if err != nil {
			return err
		}
		if _, err := part.Write([]byte(p.text)); err != nil {
			return err
		}
		if err := part.Close(); err != nil {
			return err
		}
	}
	if err := in.Close(); err != nil {
		return err
	}
	if l.file == nil {
		return nil
	}
	var h mail.AttachmentHeader
	h.SetContentType(l.file.kind, nil)
	h.SetFilename(mime.QEncoding.Encode("utf-8", l.file.name))
	part, err := w.CreateAttachment(h)
	if err != nil {
		return err
	}
	if _, err := part.Write(l.file.data); err != nil {
		return err
	}
	return part.Close()
}
