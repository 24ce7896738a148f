package customer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Who unsubscribed gets nothing he did not ask for. What he asks afterwards is
// answered, by a person, and only that; STOP holds for answers, too.
func TestOptOutAndWhatHeAsksAfterwards(t *testing.T) {
	t.Parallel()
	out := func(unasked bool) []event.Event {
		return es(event.ConsentSet{Handle: "h", Inbox: "support", Wish: "out", Message: "stop", Unasked: unasked},
			withFlags(received("stop", "c", "h", false), customer.FlagAutoReply))
	}
	in := es(event.ConsentSet{Handle: "h", Inbox: "support", Wish: "in"})
	asks := es(received("m2", "c", "h", false))
	away := es(withFlags(received("m2", "c", "h", false), customer.FlagAutoReply))
	bounce := es(withFlags(received("m2", "c", "h", false), customer.FlagBounce))
	sends := map[string]customer.Command{
		"answer": customer.Send{At: minute(9), Reply: "r", Conversation: "c", Author: "ag"},
		"begin":  customer.Start{At: minute(9), Reply: "r", Conversation: "n", Handle: attach("h", 1), Channel: "email", Inbox: "support", Author: "ag"},
	}
	for name, c := range map[string]struct {
		given [][]event.Event
		goes  string // what goes out
	}{
		"nothing was said":                    {[][]event.Event{first()}, "answer begin"},
		"unsubscribed":                        {[][]event.Event{first(), out(true)}, ""},
		"unsubscribed, then asks":             {[][]event.Event{first(), out(true), asks}, "answer"},
		"unsubscribed, then is away":          {[][]event.Event{first(), out(true), away}, ""},
		"unsubscribed, then bounces":          {[][]event.Event{first(), out(true), bounce}, ""},
		"asks, then unsubscribes":             {[][]event.Event{first(), asks, out(true)}, ""},
		"unsubscribed, asks, unsubscribes":    {[][]event.Event{first(), out(true), asks, out(true)}, ""},
		"unsubscribed, then opts in":          {[][]event.Event{first(), out(true), in}, "answer begin"},
		"STOP":                                {[][]event.Event{first(), out(false)}, ""},
		"STOP, then asks":                     {[][]event.Event{first(), out(false), asks}, ""},
		"unsubscribed, then STOP, then asks":  {[][]event.Event{first(), out(true), out(false), asks}, ""},
		"the handle moved here, he had asked": {[][]event.Event{moved(t, true)}, "answer"},
		"the handle moved here, he had not":   {[][]event.Event{moved(t, false)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := given(c.given...)
			for kind, command := range sends {
				_, err := customer.Decide(s, command)
				var refused *customer.UnreachableError
				switch {
				case strings.Contains(c.goes, kind) && err != nil:
					t.Errorf("%s: %v", kind, err)
				case !strings.Contains(c.goes, kind) && (!errors.As(err, &refused) || refused.Reason != customer.OptedOut):
					t.Errorf("%s: error %v, want that he opted out", kind, err)
				}
			}
		})
	}
}

// moved is a customer whose handle was another's, who had opted out there.
func moved(t *testing.T, asked bool) []event.Event {
	t.Helper()
	a, r := attached("h", 1), event.Reached{Inbox: "support", LastAt: minute(-1), Out: true, OutAt: minute(-2), Unasked: true}
	if asked {
		r.AskedAt = minute(-1)
	}
	a.Reach = []event.Reached{r}
	old := received("m0", "c", "h", true)
	old.Imported = true // says nothing of when he wrote over it
	return es(event.CustomerCreated{}, a, openedBy("c", "c"), old)
}

// A wish to unsubscribe takes nothing back of a STOP.
func TestUnsubscribingIsTheWeakerWish(t *testing.T) {
	t.Parallel()
	r := receive("u", "h", minute(5))
	r.Consent = channel.OptOutUnasked
	stop := es(event.ConsentSet{Handle: "h", Inbox: "support", Wish: "out"})
	for name, c := range map[string]struct {
		given customer.State
		want  int
	}{"first": {given(first()), 1}, "after STOP": {given(first(), stop), 0}} {
		list, err := customer.Decide(c.given, r)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range list {
			if set, ok := e.(event.ConsentSet); ok {
				n++
				if set.Wish != "out" || !set.Unasked || set.Message != "u" {
					t.Errorf("%s: %+v", name, set)
				}
			}
		}
		if n != c.want {
			t.Errorf("%s: %d consents, want %d", name, n, c.want)
		}
	}
}
