package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Ids of the demo's inboxes.
const (
	MailInbox = "demo-mail"
	ChatInbox = "demo-chat"
)

const (
	stateCollection = "demo_state"
	stepMails       = "mails"
	stepChat        = "chat"
	stepThanks      = "thanks"
	keyID           = "demo"
)

// Script plays the customer: each step once in the life of a data directory.
type Script struct {
	box    *Mailbox
	docs   docstore.Store
	base   string // http://host:port of the hub
	secret string // signs the shop's login for the widget
	pause  time.Duration
	log    *slog.Logger
}

// NewScript prepares the script. pause is the time between two things the customer does.
func NewScript(ctx context.Context, box *Mailbox, docs docstore.Store, base, secret string, pause time.Duration, log *slog.Logger) (*Script, error) {
	if err := docs.Declare(ctx, docstore.Collection{Name: stateCollection}); err != nil {
		return nil, fmt.Errorf("demo script: %w", err)
	}
	return &Script{box: box, docs: docs, base: base, secret: secret, pause: pause, log: log}, nil
}

// JWTKeys is the setting that makes the demo's chat inbox believe the demo's shop.
func JWTKeys(secret string) string { return keyID + ":HS256:" + secret }

// Run plays until ctx ends. A step that fails is tried again at the next start.
func (s *Script) Run(ctx context.Context) error {
	steps := []struct {
		name string
		do   func(context.Context) error
	}{{stepMails, s.mails}, {stepChat, s.chat}}
	for _, st := range steps {
		if err := s.once(ctx, st.name, st.do); err != nil && ctx.Err() == nil {
			s.log.Warn("demo step failed; it is tried again at the next start", "step", st.name, "error", err)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case sent := <-s.box.sent:
			if slices.Contains(sent.To, ada) {
				if err := s.once(ctx, stepThanks, func(ctx context.Context) error { return s.thank(ctx, sent.Raw) }); err != nil && ctx.Err() == nil {
					s.log.Warn("demo step failed", "step", stepThanks, "error", err)
				}
			}
		}
	}
}

// once does a step unless an earlier run of the hub has done it.
func (s *Script) once(ctx context.Context, name string, do func(context.Context) error) error {
	if _, err := s.docs.Get(ctx, stateCollection, name); !errors.Is(err, docstore.ErrNotFound) {
		return err
	}
	if err := do(ctx); err != nil {
		return err
	}
	return s.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: stateCollection, Doc: docstore.Doc{ID: name, JSON: []byte(`{}`)}}}})
}

func (s *Script) mails(ctx context.Context) error {
	for i, l := range firstMails() {
		if i < s.box.Count() {
			continue
		}
		raw, err := l.bytes(time.Now())
		if err != nil {
			return err
		}
		if err := s.box.Deliver(ctx, raw); err != nil {
			return err
		}
	}
	return nil
}

// login is what the demo's shop vouches for: this browser is Ada's, and this is her proven address.
func (s *Script) login(now time.Time) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": adaSub, "email": ada, "email_verified": true, "name": adaName,
		"aud": ChatInbox, "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	})
	t.Header["kid"] = keyID
	return t.SignedString([]byte(s.secret))
}

// chat speaks the widget's protocol, as any browser does.
func (s *Script) chat(ctx context.Context) error {
	if err := sleep(ctx, s.pause); err != nil {
		return err
	}
	token, err := s.login(time.Now())
	if err != nil {
		return err
	}
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(s.base, "http")+"/chat/"+ChatInbox+"/ws", http.Header{"Origin": {s.base}})
	if err != nil {
		return fmt.Errorf("demo chat: %w", err)
	}
	defer ws.Close()
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	defer stop()
	if err := ws.WriteJSON(map[string]string{"type": "hello", "jwt": token}); err != nil {
		return fmt.Errorf("demo chat: %w", err)
	}
	for i, line := range chatLines() {
		// The ids are fixed, so that a step cut short and played again says nothing twice.
		id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "weftline:demo:%d", i)).String()
		if err := ws.WriteJSON(map[string]string{"type": "message", "client_id": id, "text": line}); err != nil {
			return fmt.Errorf("demo chat: %w", err)
		}
		if err := await(ws, id); err != nil {
			return err
		}
		if err := sleep(ctx, s.pause/4); err != nil {
			return err
		}
	}
	return nil
}

// await reads until the hub has the message on disk.
func await(ws *websocket.Conn, id string) error {
	for {
		_ = ws.SetReadDeadline(time.Now().Add(30 * time.Second))
		_, b, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("demo chat: %w", err)
		}
		var f struct {
			Type     string `json:"type"`
			Code     string `json:"code"`
			ClientID string `json:"client_id"`
		}
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("demo chat: %w", err)
		}
		switch {
		case f.Type == "ack" && f.ClientID == id:
			return nil
		case f.Type == "error":
			return fmt.Errorf("demo chat: the hub says %s", f.Code)
		}
	}
}

// thank answers the first mail an agent wrote to Ada, as her mail program would.
func (s *Script) thank(ctx context.Context, raw []byte) error {
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("demo answer: %w", err)
	}
	defer r.Close()
	subject, _ := r.Header.Subject()
	id, err := r.Header.MessageID()
	if err != nil || id == "" {
		return fmt.Errorf("demo answer: the mail has no Message-ID: %w", err)
	}
	refs, _ := r.Header.MsgIDList("References")
	if err := sleep(ctx, s.pause/2); err != nil {
		return err
	}
	l := thanks(strings.TrimPrefix(subject, "Re: "), "thanks-1042", id, refs)
	out, err := l.bytes(time.Now())
	if err != nil {
		return err
	}
	return s.box.Deliver(ctx, out)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
