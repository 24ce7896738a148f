package chat

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"connectrpc.com/connect"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
)

// A visitor has so many codes sent, and tries so many; the hub counts by
// address and customer too.
const (
	provesPerHour    = 5
	provesPerNetwork = 20 // an hour
	codesPerHour     = 30
)

var proofForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// provable says whether this visitor may prove an address of a kind here: the
// site has not said who he is, and there is an inbox to send a code.
func (s *session) provable(c *config, kind string) bool {
	return s.proveBy(c, kind) != "" && s.login == nil && s.a.d.Proofs != nil
}

// proveBy is the inbox that sends codes to addresses of a kind.
func (s *session) proveBy(c *config, kind string) string {
	if kind == kindPhone {
		return s.a.inboxOf(c, kind)
	}
	if !s.a.isOf(c.Prove, mailChannel) {
		return "" // gone, or never there
	}
	return c.Prove
}

func (s *session) channelHandle() *channelv1.ChannelHandle {
	return &channelv1.ChannelHandle{InboxId: s.inbox, Kind: Name, Address: s.address}
}

// prove has a code sent to the address he typed. Whoever may own it, the answer is the same.
func (s *session) prove(ctx context.Context, c *config, kind string, f clientFrame) {
	to, field, short := f.Address, "address", shorten
	if kind == kindPhone {
		n, err := s.a.number(c, f.Phone)
		if err != nil {
			s.refuse(f, err) // before it counts
			return
		}
		to, field, short = n, fieldPhone, shortenNumber
	}
	if !s.mayProve(c, "prove", s.handleID, provesPerHour) || !s.mayProve(c, "prove-network", network(s.ip), provesPerNetwork) {
		return
	}
	res, err := s.a.d.Proofs.StartHandleProof(ctx, &channelv1.StartHandleProofRequest{
		Handle: s.channelHandle(), Kind: kind, Address: to, SendBy: s.proveBy(c, kind),
	})
	if err != nil {
		s.notProven(err, field)
		return
	}
	if s.a.inboxOf(c, kind) != "" {
		if err := s.noteAsked(ctx, kind, res.GetProofId(), to); err != nil {
			s.notProven(err, field)
			return
		}
	}
	s.push(proofFrame{Type: "proof", ID: res.GetProofId(), State: "sent", To: short(to)})
}

// code takes what came to the address.
func (s *session) tryCode(ctx context.Context, c *config, f clientFrame) {
	if !s.mayProve(c, "code", s.handleID, codesPerHour) {
		return
	}
	res, err := s.a.d.Proofs.CheckHandleProof(ctx, &channelv1.CheckHandleProofRequest{Handle: s.channelHandle(), ProofId: f.ID, Code: f.Code})
	if err != nil {
		s.notProven(err, "proof")
		return
	}
	out := proofFrame{Type: "proof", ID: f.ID, State: "over"}
	switch {
	case res.GetProven():
		out.State = "proven"
		if s.a.continues(c) {
			if err := s.noteProven(ctx, f.ID); err != nil { // proven it is; it is written to when he proves it again
				s.a.log.Error("proven address not kept", "inbox", s.inbox, "error", err)
			}
		}
	case res.GetTriesLeft() > 0:
		out.State, out.TriesLeft = "wrong", res.GetTriesLeft()
	}
	s.push(out)
}

func (s *session) mayProve(c *config, what, whom string, n int) bool {
	wait, ok := s.a.limits.take(what, c.ID+"/"+whom, n, time.Hour)
	if !ok {
		s.a.metrics.limited.WithLabelValues("prove").Inc()
		s.push(errorFrame{Type: "error", Code: "rate", Field: "proof", RetryAfterMS: wait.Milliseconds() + 1})
	}
	return ok
}

// notProven tells a visitor that nothing came of it, and no more. field is what he typed.
func (s *session) notProven(err error, field string) {
	out := errorFrame{Type: "error", Code: "unavailable", Field: "proof", RetryAfterMS: 2000}
	switch e, _ := err.(*connect.Error); connect.CodeOf(err) {
	case connect.CodeInvalidArgument:
		out = errorFrame{Type: "error", Code: "invalid", Field: field}
	case connect.CodeResourceExhausted:
		out.Code = "rate"
		if n, err := strconv.ParseInt(e.Meta().Get("Retry-After"), 10, 64); err == nil {
			out.RetryAfterMS = n * 1000
		}
	default:
		s.a.log.Error("address not proven", "inbox", s.inbox, "error", err)
	}
	s.push(out)
}

// shorten shows enough of an address to know it again.
func shorten(address string) string {
	i := strings.LastIndexByte(address, '@')
	_, n := utf8.DecodeRuneInString(address)
	if i <= 0 {
		return ""
	}
	return address[:n] + "…" + address[i:]
}
