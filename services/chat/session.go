package chat

import (
	"context"
	"errors"
	"sync"
	"time"
)

// session is one connection: one browser tab of one visitor.
type session struct {
	a      *Adapter
	inbox  string
	origin string
	host   string
	ip     string

	// Set by identify, before the session joins a room; read only afterwards.
	visitor  string
	login    *login
	address  string // of the handle
	handleID string
	who      string
	lang     string // of the widget, "" when it did not say

	sock   socket
	queue  *queue
	done   <-chan struct{}
	cancel context.CancelCauseFunc
	once   sync.Once
	code   int // set before ctx ends
	reason string

	sync     chan struct{} // read the transcript again
	receipts chan struct{} // targets have moved

	spoke  bool            // is noted as having said something; the reader's own
	given  []string        // answered before the chat, as last known; the reader's own
	listed map[string]bool // client ids of the first listing, while it lasts; work's own

	mu        sync.Mutex
	shown     string // highest position sent to this visitor
	delivered string // wanted by the visitor, never above shown
	read      string
	lastType  time.Time
}

// run owns the connection until it ends.
func (s *session) run(ctx context.Context, c *config) {
	var pumps, work sync.WaitGroup
	written := make(chan struct{})
	pumps.Go(func() { defer close(written); s.writePump(ctx) })
	pumps.Add(1)
	context.AfterFunc(ctx, func() { defer pumps.Done(); s.goodbye(written) }) // no goroutine until then

	s.sock.SetReadDeadline(time.Now().Add(s.a.timing.Hello))
	joined := false
	s.readPump(ctx, func(ctx context.Context, b []byte) {
		f, err := decodeFrame(b)
		if !joined {
			if err != nil || f.Type != "hello" {
				s.garbage("hello expected")
				return
			}
			if !s.identify(ctx, c, f) {
				return
			}
			s.lang = f.Lang
			ask, err := s.askedOf(ctx, c)
			if err != nil {
				s.unavailable(err)
				return
			}
			if !s.a.rooms.join(s) {
				s.end(closeDraining, "draining")
				return
			}
			joined = true
			after := f.After
			if f.Who != s.who {
				after = "" // positions of another handle mean nothing here
			}
			s.welcome(ctx, c, ask, f.Who != "" && f.Who != s.who)
			work.Go(func() { s.work(ctx, after) })
			return
		}
		s.handle(ctx, f, err)
	})
	if joined {
		s.a.rooms.leave(s)
	}
	work.Wait()
	pumps.Wait()
}

func (s *session) welcome(ctx context.Context, c *config, ask *formFrame, reset bool) {
	expires := s.a.d.Now().Add(ticketLife)
	w := welcomeFrame{
		Type: "welcome", Token: s.a.visitorToken(s.inbox, s.visitor), Who: s.who, Reset: reset,
		Name: c.word(s.lang, wordName), Greeting: c.word(s.lang, wordGreeting), Identity: c.Identity, Form: ask,
		Hours:        c.hoursOf(s.lang, s.a.d.Now()),
		EmailCapture: c.Email && s.login == nil, Prove: c.Email && s.provable(c, kindEmail),
		HeartbeatS: int(s.a.timing.Ping / time.Second),
	}
	if s.a.mails(c) {
		to, err := s.mailTo(ctx)
		if err != nil { // he can ask again
			s.a.log.Warn("address of a visitor not read", "inbox", s.inbox, "error", err)
		}
		w.Mail, w.MailTo = s.provable(c, kindEmail) || to != "", shorten(to)
	}
	if numbers, ok := s.a.numbers(c); ok {
		to, err := s.smsTo(ctx)
		if err != nil {
			s.a.log.Warn("number of a visitor not read", "inbox", s.inbox, "error", err)
		}
		if w.SMS = s.provable(c, kindPhone) || to != ""; w.SMS {
			w.SMSTo, w.SMSLike = shortenNumber(to), numbers.Example()
		}
	}
	if l := s.login; l != nil {
		w.Login = &loginNotice{Name: l.Name, ExpiresAt: stamp(l.Expires)}
		if l.Expires.Before(expires) {
			expires = l.Expires
		}
	}
	w.Ticket = s.a.sealTicket(ticket{Inbox: s.inbox, Address: s.address, Visitor: s.visitor, Expires: expires.Unix()})
	s.push(w)
}

// handle acts on one frame after the hello.
func (s *session) handle(ctx context.Context, f clientFrame, err error) {
	var bad *frameError
	if errors.As(err, &bad) {
		if bad.Garbage {
			s.garbage(bad.Field)
			return
		}
		s.refuse(f, bad)
		return
	}
	// Rules are looked up at every frame: an inbox may have changed since the hello.
	c, ok := s.a.config(s.inbox)
	if !ok {
		s.end(closeForbidden, "inbox is gone")
		return
	}
	if s.login == nil && c.Identity == identityRequired {
		s.end(closeAuth, "login required")
		return
	}
	switch f.Type {
	case "message", "email", "phone", "form":
		s.accept(ctx, c, f)
	case "prove", "code":
		kind := kindEmail
		if f.Phone != "" {
			kind = kindPhone
		}
		// A code is of either.
		if !s.provable(c, kind) && (f.Type == "prove" || !s.provable(c, kindPhone)) {
			s.push(s.notOffered(c, kind))
			return
		}
		if f.Type == "prove" {
			s.prove(ctx, c, kind, f)
		} else {
			s.tryCode(ctx, c, f)
		}
	case "transcript":
		s.transcript(ctx, c)
	case "typing":
		s.typing(f.Typing)
	case "read", "delivered":
		s.want(f.Type, f.Position)
	case "pong":
	default:
		s.garbage("hello twice")
	}
}
