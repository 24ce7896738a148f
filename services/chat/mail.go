package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/oklog/ulid/v2"

	"github.com/weftline/weftline/pkg/subject"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys of what goes on by mail.
const (
	keyMailBy    = "continue_by"
	keyMailAfter = "continue_after"
)

const (
	mailChannel         = "email"
	minMailAfter        = 10 * time.Second
	maxMailAfter        = 24 * time.Hour
	transcriptsPerHour  = 3  // of one visitor
	transcriptsPerPlace = 10 // an hour, of one network
)

var mailSettings = []inbox.Setting{
	{Key: keyMailBy, Label: "Continue by e-mail", Help: "Id of the e-mail inbox by which a visitor gets the chat when he asks for it, and our answer when he has left. Only to an address he has proven in the chat or by a login that says it is verified: an address that was only typed gets a code and nothing else. Empty: neither is offered.", Group: groupMail, Inbox: []string{mailChannel}},
	{Key: keyMailAfter, Label: "An answer follows after", Help: "By e-mail or SMS. For so long the visitor's chat must be closed, 10s to 24h. What he has read is not sent.", Default: "5m", Group: groupMail},
}

func readMail(get func(string) string) (by string, after time.Duration, errs []error) {
	if by = get(keyMailBy); by != "" && !subject.ValidToken(by) {
		errs = append(errs, fmt.Errorf("%s: %q is not the id of an inbox", keyMailBy, by))
	}
	after, err := time.ParseDuration(get(keyMailAfter))
	if err != nil || after < minMailAfter || after > maxMailAfter {
		errs = append(errs, fmt.Errorf("%s: %q is not a time from 10s to 24h", keyMailAfter, get(keyMailAfter)))
	}
	return by, after, errs
}

// address is one that this handle's visitor was asked to prove, or has proven:
// sealed under a key of its own, and in the language he was spoken to.
type address struct {
	Proof  string       `json:"proof"`          // id, or "login"
	Kind   string       `json:"kind,omitempty"` // "" is email: addresses from before the field
	Sealed crypt.Sealed `json:"sealed"`
	Lang   string       `json:"lang,omitempty"`
}

const byLogin = "login"

// mails says whether chats of the inbox go on by mail.
func (a *Adapter) mails(c *config) bool {
	if c.MailBy == "" || a.d.Forward == nil {
		return false
	}
	return a.isOf(c.MailBy, mailChannel)
}

func (a *Adapter) sealAddress(ctx context.Context, handleID, kind, proof, lang, to string) (*address, error) {
	sealed, err := a.d.Keys.Seal(ctx, "chat/mail/"+ulid.Make().String(), []byte(to), []byte(handleID))
	if err != nil {
		return nil, fmt.Errorf("seal an address: %w", err)
	}
	return &address{Proof: proof, Kind: kind, Sealed: sealed, Lang: lang}, nil
}

// openAddress: "" when there is none, or it was erased.
func (a *Adapter) openAddress(ctx context.Context, handleID string, x *address) (string, error) {
	if x == nil {
		return "", nil
	}
	b, err := a.d.Keys.Open(ctx, x.Sealed, []byte(handleID))
	if errors.Is(err, crypt.ErrShredded) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open an address: %w", err)
	}
	return string(b), nil
}

// replaced destroys the key of an address that is kept no more.
func (a *Adapter) replaced(ctx context.Context, x *address) {
	if x == nil {
		return
	}
	if err := a.d.Keys.Destroy(ctx, x.Sealed.Key); err != nil {
		a.log.Warn("key of an old address not destroyed", "error", err)
	}
}

// noteAsked keeps an address until it is proven.
func (s *session) noteAsked(ctx context.Context, kind, proof, to string) error {
	x, err := s.a.sealAddress(ctx, s.handleID, kind, proof, s.lang, to)
	if err != nil {
		return err
	}
	var old *address
	err = s.a.changeHandle(ctx, s.handleID, func(h *handleState) bool {
		old, h.Asked = h.Asked, x
		return true
	})
	if err == nil {
		s.a.replaced(ctx, old)
	}
	return err
}

// noteProven makes it the one that answers follow to.
func (s *session) noteProven(ctx context.Context, proof string) error {
	var old *address
	var unread bool
	var high string
	err := s.a.changeHandle(ctx, s.handleID, func(h *handleState) bool {
		if h.Asked == nil || h.Asked.Proof != proof {
			return false
		}
		at := h.place(h.Asked.Kind)
		h.Last = h.Asked.Kind
		old, *at, h.Asked = *at, h.Asked, nil
		unread, high = h.High > max(h.Read, h.Mailed), h.High
		return true
	})
	if err != nil {
		return err
	}
	s.a.replaced(ctx, old)
	if c, ok := s.a.config(s.inbox); ok && unread {
		return s.a.follow(ctx, c, s.handleID, s.address, high)
	}
	return nil
}

// mailTo is where this visitor's mail goes, "" for nowhere yet. A login that
// vouches for an address needs no proof here.
func (s *session) mailTo(ctx context.Context) (string, error) {
	var h handleState
	if _, err := s.a.load(ctx, colHandle, s.handleID, &h); err != nil {
		return "", err
	}
	to, err := s.a.openAddress(ctx, s.handleID, h.Mail)
	if err != nil || s.login == nil || !s.login.Verified || s.login.Email == to {
		return to, err
	}
	x, err := s.a.sealAddress(ctx, s.handleID, kindEmail, byLogin, s.lang, s.login.Email)
	if err != nil {
		return "", err
	}
	var old *address
	err = s.a.changeHandle(ctx, s.handleID, func(h *handleState) bool {
		old, h.Mail = h.Mail, x
		return true
	})
	if err == nil {
		s.a.replaced(ctx, old)
	}
	return s.login.Email, err
}

// transcript sends the visitor his chat. The hub decides whether the address is his.
func (s *session) transcript(ctx context.Context, c *config) {
	refuse := func(e errorFrame) {
		e.Type, e.Field = "error", "transcript"
		s.push(e)
	}
	if !s.a.mails(c) {
		refuse(errorFrame{Code: "invalid"})
		return
	}
	to, err := s.mailTo(ctx)
	if err == nil && to == "" {
		refuse(errorFrame{Code: "address_required"})
		return
	}
	if err != nil {
		s.a.log.Error("chat transcript not sent", "inbox", s.inbox, "error", err)
		refuse(errorFrame{Code: "unavailable", RetryAfterMS: 2000})
		return
	}
	for _, l := range []struct {
		what, whom string
		n          int
	}{{"transcript", s.handleID, transcriptsPerHour}, {"transcript-network", network(s.ip), transcriptsPerPlace}} {
		if wait, ok := s.a.limits.take(l.what, c.ID+"/"+l.whom, l.n, time.Hour); !ok {
			s.a.metrics.limited.WithLabelValues("transcript").Inc()
			refuse(errorFrame{Code: "rate", RetryAfterMS: wait.Milliseconds() + 1})
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.a.timing.List)
	defer cancel()
	res, err := s.a.d.Forward.ForwardTranscript(ctx, &channelv1.ForwardTranscriptRequest{
		Handle: s.channelHandle(), Kind: kindEmail, Address: to, SendBy: c.MailBy, Language: s.lang,
	})
	if code := connect.CodeOf(err); err != nil && (code == connect.CodeFailedPrecondition || code == connect.CodeInvalidArgument) {
		refuse(errorFrame{Code: "invalid"}) // it is not his, or not any more
		return
	}
	if err != nil {
		s.a.log.Error("chat transcript not sent", "inbox", s.inbox, "error", err)
		refuse(errorFrame{Code: "unavailable", RetryAfterMS: 2000})
		return
	}
	s.push(transcriptFrame{Type: "transcript", To: shorten(to), Messages: res.GetMessages()})
}
