package query

import (
	"fmt"
	"time"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func showLink(v *readmodel.Pair, l readmodel.Link) *identityv1.Link {
	return &identityv1.Link{
		Id: l.ID, A: v.A, B: v.B, Rule: l.Rule, Actor: l.Actor, At: micros(l.At), Reasons: showReasons(l.Reasons),
		UndoneBy: l.UndoneBy, UndoneAt: micros(l.UndoneAt), UndoneReason: l.UndoneReason,
	}
}

func showReasons(all []event.Reason) []*identityv1.Reason {
	out := make([]*identityv1.Reason, 0, len(all))
	for _, r := range all {
		shown := &identityv1.Reason{Kind: r.Kind, Text: inWords(r), HandleId: r.Handle, Evidence: r.Evidence}
		for _, l := range r.Levels {
			shown.Levels = append(shown.Levels, int32(l))
		}
		out = append(out, shown)
	}
	return out
}

// levels in words, by number.
var levels = []string{"claimed", "observed", "attested by the channel", "proven", "logged in"}

func level(r event.Reason, side int) string {
	if side < len(r.Levels) && r.Levels[side] >= 0 && r.Levels[side] < len(levels) {
		return levels[r.Levels[side]]
	}
	return "unknown"
}

// inWords says a reason to people.
func inWords(r event.Reason) string {
	switch r.Kind {
	case "asserted":
		return fmt.Sprintf("One side says that an address is his (%s), and it is the other's (%s).", level(r, 0), level(r, 1))
	case "same_claim":
		return fmt.Sprintf("Both sides say that an address is theirs (%s and %s); nobody owns it.", level(r, 0), level(r, 1))
	case "variant":
		return fmt.Sprintf("The addresses differ in form only, as a plus tag or a national prefix (%s and %s).", level(r, 0), level(r, 1))
	case "login":
		return fmt.Sprintf("A message of one side came with the login of the other, whose address is %s.", level(r, 1))
	case "code", "link":
		how := map[string]string{"code": "a one-time code", "link": "a single-use link"}[r.Kind]
		return fmt.Sprintf("One side proved with %s that he controls an address of the other (%s).", how, level(r, 1))
	case "proof":
		return "The proof was asked for and given here."
	case "two_logins":
		return "Both sides have a login of their own, so nothing is linked by itself."
	case "over_limit":
		return "Together they would be more than one person may be by itself."
	case "reply_token":
		return "A reply to us came back from the address that it was sent to."
	case "attested":
		return "The channel attests the same identity for both."
	}
	return "By rule " + r.Kind + "."
}

func showSuggestion(v *readmodel.Pair, s readmodel.Suggestion) *identityv1.Suggestion {
	return &identityv1.Suggestion{Id: s.ID, A: v.A, B: v.B, Rule: s.Rule, Reasons: showReasons(s.Reasons), At: micros(s.At)}
}

// micros shows a time in Unix microseconds, nil for none.
func micros(us int64) *timestamppb.Timestamp {
	if us == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMicro(us))
}
