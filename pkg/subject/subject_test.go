package subject_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/pkg/subject"
)

// The spellings are a contract with integrators, other languages and stored data.
func TestSubjectsAreSpelledForEver(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"IN-3":                       subject.InStream(3),
		"EVT-0":                      subject.EvtStream(0),
		"in.2.acme.email.support.k1": subject.In(2, "acme", "email", "support", "k1"),
		"evt.1.acme.customer.01J":    subject.Evt(1, "acme", "customer.01J"),
		"evt.1.acme.link.a.b":        subject.Evt(1, "acme", "link.a.b"),
		"out.acme.email.support.01J": subject.Out("acme", "email", "support", "01J"),
		"timer.acme.snooze.01J":      subject.Timer("acme", "snooze", "01J"),
		"fired.acme.snooze.01J":      subject.Fired("acme", "snooze", "01J"),
		"poison.in.2.acme.email.s.k": subject.Poison("in.2.acme.email.s.k"),
		"audit.acme":                 subject.Audit("acme"),
		"weftline.v1.acme.event.conversation.01J.message_received": subject.Pub("acme", "conversation", "01J", "message_received"),
	} {
		if got != want {
			t.Errorf("subject is %s, want %s", got, want)
		}
	}
}

// A different hash would look for every stream in the wrong partition.
func TestPartitionsAreTheSameForEver(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]int{"": 1, "a": 0, "foobar": 0, "default.customer.01J0000000000000000000000": 1} {
		if got := subject.Partition(key, 4); got != want {
			t.Errorf("Partition(%q, 4) = %d, want %d", key, got, want)
		}
	}
}

func TestPartitionsAreUsedEvenly(t *testing.T) {
	t.Parallel()
	const keys, n = 20_000, 4
	var count [n]int
	for i := range keys {
		count[subject.Partition("default.customer."+string(rune('a'+i%26))+strings.Repeat("x", i%7)+string(rune('A'+i/26%26))+
			string(rune('0'+i/676%10))+string(rune('0'+i/6760)), n)]++
	}
	for p, c := range count {
		if c < keys/n*8/10 || c > keys/n*12/10 {
			t.Errorf("partition %d has %d of %d keys", p, c, keys)
		}
	}
}

func TestEventSubjectsRoundTrip(t *testing.T) {
	t.Parallel()
	token := rapid.StringMatching(`[a-zA-Z0-9_-]{1,64}`)
	rapid.Check(t, func(t *rapid.T) {
		p, tenant := rapid.IntRange(0, 63).Draw(t, "partition"), token.Draw(t, "tenant")
		stream := strings.Join(rapid.SliceOfN(token, 1, 4).Draw(t, "stream"), ".")
		gotP, gotTenant, gotStream, err := subject.ParseEvt(subject.Evt(p, tenant, stream))
		if err != nil || gotP != p || gotTenant != tenant || gotStream != stream {
			t.Fatalf("ParseEvt = %d, %s, %s, %v", gotP, gotTenant, gotStream, err)
		}
		if q := subject.Partition(stream, 7); q < 0 || q >= 7 {
			t.Fatalf("Partition = %d of 7", q)
		}
	})
}

func TestParseEvtRefusesOtherSubjects(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "evt", "evt.1.acme", "evt.x.acme.customer.c1", "in.1.acme.customer.c1"} {
		if _, _, _, err := subject.ParseEvt(s); err == nil {
			t.Errorf("ParseEvt(%q): no error", s)
		}
	}
}

func TestValidToken(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"a": true, "01J-x_Z": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a.b": false, "*": false, ">": false, "a b": false, "é": false, "ada@x.org": false, "+44": false,
	} {
		if got := subject.ValidToken(s); got != want {
			t.Errorf("ValidToken(%q) = %v", s, got)
		}
	}
}
