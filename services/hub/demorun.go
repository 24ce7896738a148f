package main

import (
	"context"
	"time"

	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/hub/demo"
	"github.com/weftline/weftline/services/internal/inbox"
)

// demoPause is the time between two things the demo's customer does: long
// enough to be seen arriving, short enough to wait for.
const demoPause = 4 * time.Second

// runMailbox starts the demo's mail servers and then its inboxes: their ports
// are known only now.
func (h *hub) runMailbox(ctx context.Context, ready func()) error {
	box, err := demo.Open(ctx, h.state)
	if err != nil {
		return err
	}
	h.mailbox = box
	h.book.AddFixed(inbox.Inbox{ID: demo.MailInbox, Channel: email.ChannelName, Name: "Demo mailbox", Source: inbox.SourceDemo, Settings: box.Settings()})
	h.book.AddFixed(inbox.Inbox{ID: demo.ChatInbox, Channel: chat.Name, Name: "Demo shop", Source: inbox.SourceDemo, Settings: map[string]string{
		"jwt_keys": demo.JWTKeys(h.demoSecret()), "greeting": "Hello! You are the customer now. Ask us anything.",
	}})
	ready()
	return box.Run(ctx)
}

// demoSecret signs the demo shop's logins: derived, so that it survives a restart and is nobody else's.
func (h *hub) demoSecret() string {
	return h.keys.Hash("demo-shop", "jwt") + h.keys.Hash("demo-shop", "jwt2")
}

func (h *hub) runScript(ctx context.Context) error {
	s, err := demo.NewScript(ctx, h.mailbox, h.state, h.localURL(), h.demoSecret(), demoPause, h.log.With("part", "demo"))
	if err != nil {
		return err
	}
	return s.Run(ctx)
}
