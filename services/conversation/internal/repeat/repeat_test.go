package repeat_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/repeat"
	"github.com/weftline/weftline/services/internal/crypt"
	"pgregory.net/rapid"
)

// what is one step of a history: its time in hours, the event, the subject.
type what struct {
	hour    int
	ev      event.Event
	subject string
}

func opened(hour int, id, topic, subject string) what {
	return what{hour, event.ConversationOpened{Conversation: id, Topic: topic, Subject: crypt.Sealed{Key: "key of " + id}}, subject}
}

func said(hour int, conversation, channel string, flags ...string) what {
	return what{hour, event.MessageReceived{Message: fmt.Sprintf("m%d", hour), Conversation: conversation, Channel: channel, Flags: flags}, ""}
}

func answered(hour int, conversation, agent string) what {
	return what{hour, event.ReplyRequested{Reply: fmt.Sprintf("r%d", hour), Conversation: conversation, Author: agent}, ""}
}

func closed(hour int, conversation string) what {
	return what{hour, event.ConversationClosed{Conversation: conversation}, ""}
}

var begin = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// count are the repeats of a history, as "kind id".
func count(history []what) []string {
	var m repeat.Meter
	var out []string
	for _, w := range history {
		found, _ := m.Apply(begin.Add(time.Duration(w.hour)*time.Hour), w.ev, w.subject)
		for _, f := range found {
			if f.Kind != repeat.Conversation {
				out = append(out, f.Kind+" "+f.ID)
			}
		}
	}
	return out
}

func TestMeter(t *testing.T) {
	t.Parallel()
	first := []what{opened(0, "a", "a", "parcel"), said(0, "a", "email"), answered(1, "a", "ada")}
	for name, tc := range map[string]struct {
		history []what
		want    []string
	}{
		"a conversation goes on":                 {[]what{said(2, "a", "email"), answered(3, "a", "ada")}, nil},
		"a new one, another matter":              {[]what{opened(2, "b", "b", "invoice"), said(2, "b", "email")}, nil},
		"a new one, the same subject":            {[]what{opened(2, "b", "b", "parcel"), said(2, "b", "email")}, []string{"new_conversation b"}},
		"a new one, the same topic":              {[]what{opened(2, "b", "a", ""), said(2, "b", "email")}, []string{"new_conversation b"}},
		"a new one without a subject":            {[]what{opened(2, "b", "b", ""), said(2, "b", "email"), opened(3, "c", "c", ""), said(3, "c", "email")}, nil},
		"within seven days of its closing":       {[]what{closed(100, "a"), opened(267, "b", "b", "parcel"), said(268, "b", "email")}, []string{"new_conversation b"}},
		"after seven days":                       {[]what{closed(100, "a"), opened(269, "b", "b", "parcel"), said(269, "b", "email")}, nil},
		"within seven days of its last message":  {[]what{opened(168, "b", "b", "parcel"), said(168, "b", "email")}, []string{"new_conversation b"}},
		"counted once":                           {[]what{opened(2, "b", "a", "parcel"), said(2, "b", "email"), said(3, "b", "email")}, []string{"new_conversation b"}},
		"we began it":                            {[]what{{2, event.ConversationOpened{Conversation: "b", Topic: "a", Outbound: true}, ""}, answered(2, "b", "ada"), said(3, "b", "email")}, nil},
		"a successor after a move":               {[]what{{2, event.ConversationOpened{Conversation: "b", Topic: "a", Continues: "a"}, ""}, said(3, "b", "email")}, nil},
		"a part split off":                       {[]what{opened(2, "b", "b", "parcel"), {2, event.MessagesMoved{From: "a", To: "b"}, ""}, said(3, "b", "email")}, nil},
		"another channel after an answer":        {[]what{said(2, "a", "chat")}, nil},
		"another channel, unanswered":            {[]what{said(2, "a", "email"), said(3, "a", "chat")}, []string{"new_channel m3"}},
		"and on by that channel":                 {[]what{said(2, "a", "email"), said(3, "a", "chat"), said(4, "a", "chat")}, []string{"new_channel m3"}},
		"another channel in the topic":           {[]what{said(2, "a", "email"), opened(3, "b", "a", ""), said(3, "b", "chat")}, []string{"new_conversation b", "new_channel m3"}},
		"an automatic answer answers nothing":    {[]what{said(2, "a", "email"), {3, event.ReplyRequested{Reply: "auto", Conversation: "a", Automatic: true}, ""}, said(4, "a", "chat")}, []string{"new_channel m4"}},
		"a bounce is not he":                     {[]what{said(2, "a", "email"), said(3, "a", "chat", "bounce")}, nil},
		"another agent, he wrote between":        {[]what{said(2, "a", "email"), answered(3, "a", "bob")}, []string{"new_agent r3"}},
		"another agent at once":                  {[]what{answered(3, "a", "bob")}, nil},
		"back to the first":                      {[]what{said(2, "a", "email"), answered(3, "a", "bob"), said(4, "a", "email"), answered(5, "a", "ada")}, []string{"new_agent r3", "new_agent r5"}},
		"imported, at the time it happened then": {[]what{{400, event.ConversationOpened{Conversation: "b", Topic: "a"}, ""}, {400, event.MessageReceived{Message: "i", Conversation: "b", Channel: "email", Imported: true, OccurredAt: begin.Add(24 * time.Hour)}, ""}}, []string{"new_conversation b"}},
	} {
		if d := cmp.Diff(tc.want, count(append(slices.Clone(first), tc.history...))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// What is repeated is named: every one of the topic, else one of the subject.
func TestWhatANewConversationRepeats(t *testing.T) {
	t.Parallel()
	first := []what{
		opened(0, "a", "a", "parcel"), said(0, "a", "email"), opened(1, "b", "b", "parcel"), said(1, "b", "email"),
		opened(2, "c", "a", "invoice"), said(2, "c", "email"), closed(300, "c"),
	}
	for name, tc := range map[string]struct {
		next what
		want []string
	}{
		"of the subject, the latest": {opened(20, "d", "d", "parcel"), []string{"b"}},
		"of the topic, all":          {opened(20, "d", "a", "parcel"), []string{"a", "c"}},
		"within the window":          {opened(320, "d", "a", "parcel"), []string{"c"}},
	} {
		var m repeat.Meter
		var got []string
		for _, w := range append(slices.Clone(first), tc.next, said(tc.next.hour, "d", "email")) {
			found, _ := m.Apply(begin.Add(time.Duration(w.hour)*time.Hour), w.ev, w.subject)
			for _, f := range found {
				if f.ID == "d" && f.Kind == repeat.NewConversation {
					got = f.Before
				}
			}
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Only the newest conversations are remembered, whatever happened.
func TestMeterIsBounded(t *testing.T) {
	t.Parallel()
	var m repeat.Meter
	for i := range 100 {
		id := fmt.Sprint(i)
		m.Apply(begin, event.ConversationOpened{Conversation: id, Topic: id}, "")
	}
	if len(m.Recent) != 20 || m.Recent[19].Conversation != "99" {
		t.Errorf("%d remembered", len(m.Recent))
	}
}

// Folding is the same however a history is cut in two, and never writes into
// what an earlier meter shows: documents are shared.
func TestMeterIsAFold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		conv := rapid.SampledFrom([]string{"a", "b", "c"})
		var history []what
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			c := conv.Draw(t, "conversation")
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				history = append(history, opened(i*10, c, conv.Draw(t, "topic"), ""))
			case 1:
				history = append(history, said(i*10, c, rapid.SampledFrom([]string{"email", "chat"}).Draw(t, "channel")))
			case 2:
				history = append(history, answered(i*10, c, rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "agent")))
			case 3:
				history = append(history, closed(i*10, c))
			}
		}
		var m repeat.Meter
		var kept []repeat.Meter
		var text []string
		for _, w := range history {
			m.Apply(begin.Add(time.Duration(w.hour)*time.Hour), w.ev, w.subject)
			kept, text = append(kept, m), append(text, fmt.Sprint(m))
		}
		for i := range kept {
			if fmt.Sprint(kept[i]) != text[i] {
				t.Fatalf("step %d was changed by a later one", i)
			}
		}
	})
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Parcel 12": "parcel 12", "Re: Parcel  12": "parcel 12", "RE[2]: Fwd: parcel 12": "parcel 12", "AW: WG: Parcel 12 ": "parcel 12",
		"Report: Q3": "report: q3", "Re:": "", "": "", "回复：包裹": "包裹",
	} {
		if got := repeat.Subject(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// The document says what the API says.
func TestDefinitionIsWrittenDown(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../../docs/repeat-meter.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(repeat.Definition, "\n") {
		if !strings.Contains(string(doc), line) {
			t.Errorf("docs/repeat-meter.md lacks: %s", line)
		}
	}
}
