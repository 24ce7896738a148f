package main

import (
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

// An inbox without a mailbox: mail comes in by SMTP, the answer goes out, the answer to that is tied to it.
func TestListenerThroughAHub(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := newShopWith(t, map[string]string{
		"receive": "listener", "verify": "own", "imap_host": "", "imap_port": "", "imap_username": "", "imap_password": "",
	}, map[string]any{"email": map[string]any{"listen": []map[string]any{{"address": address, "hostname": "mx.shop.test"}}}})
	send := func(mail string) error {
		c, err := smtp.Dial(address)
		if err != nil {
			return err
		}
		defer c.Close()
		return c.SendMail("ada@victim.test", []string{"support@shop.test"}, strings.NewReader(mail))
	}
	mail := s.signed("victim.test", adasMail)
	for range 2 { // the answer to the first was lost
		if err := send(mail); err != nil {
			s.fatalf("%v", err)
		}
	}
	page := s.sees("ada@victim.test", false, adaAsks)
	if m := page.GetEntries()[len(page.GetEntries())-1].GetMessage(); m.GetAssurance() != 2 {
		t.Errorf("level %d: %s", m.GetAssurance(), m.GetEvidence())
	}
	if err := s.reply(page.GetConversations()[0].GetId(), "Your code is 4711.", ""); err != nil {
		t.Fatal(err)
	}
	id := s.sentOnlyTo("ada@victim.test")[0].MessageID()
	if err := send(s.signed("victim.test", "From: Ada <ada@victim.test>\nTo: support@shop.test\nSubject: Re: Login\nMessage-ID: <2@victim.test>\nIn-Reply-To: <"+id+">\n\nThank you.\n")); err != nil {
		t.Fatal(err)
	}
	s.sees("ada@victim.test", false, adaAsks, adaIsTold, "1 email Ada: Thank you.")
	if err := send("From: ada@victim.test\r\n\r\nx"); err != nil { // unsigned: refuted, and kept
		t.Fatal(err)
	}
	s.sees("ada@victim.test", true, "1 email ada@victim.test: x [unverified]")
}
