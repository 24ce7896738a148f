package topic_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/conversation/internal/topic"
	"pgregory.net/rapid"
)

// shown groups conversations by topic, as "a b".
func shown(topics []topic.Topic, fragments []topic.Fragment) []string {
	var out []string
	for _, t := range topics {
		s := ""
		for _, i := range t.Fragments {
			s += " " + fragments[i].Conversation
		}
		out = append(out, s[1:])
	}
	return out
}

func TestOf(t *testing.T) {
	t.Parallel()
	one := func(string) string { return "p" }
	each := func(c string) string { return c }
	link := []topic.Link{{ID: "l1", A: "A", B: "B"}}
	beside := []topic.Fragment{
		{Conversation: "1", Customer: "A", Topic: "1"},
		{Conversation: "2", Customer: "B", Topic: "2", Beside: []string{"1"}, Via: []string{"l1"}},
	}
	for name, tc := range map[string]struct {
		fragments []topic.Fragment
		person    func(string) string
		links     []topic.Link
		joins     []topic.Join
		want      []string
	}{
		"one topic of one person": {[]topic.Fragment{{Conversation: "1", Customer: "A", Topic: "t"}, {Conversation: "2", Customer: "B", Topic: "t"}}, one, nil, nil, []string{"1 2"}},
		"one topic of two":        {[]topic.Fragment{{Conversation: "1", Customer: "A", Topic: "t"}, {Conversation: "2", Customer: "B", Topic: "t"}}, each, nil, nil, []string{"1", "2"}},
		"a moved part is apart":   {[]topic.Fragment{{Conversation: "1", Customer: "A", Topic: "t"}, {Conversation: "1", Customer: "B", Topic: "t"}}, each, nil, nil, []string{"1", "1"}},
		"until they are one":      {[]topic.Fragment{{Conversation: "1", Customer: "A", Topic: "t"}, {Conversation: "1", Customer: "B", Topic: "t"}}, one, nil, nil, []string{"1 1"}},
		"beside":                  {beside, one, link, nil, []string{"1 2"}},
		"beside through a link that was taken back, one by another": {beside, one, []topic.Link{{ID: "l2", A: "A", B: "B"}}, nil, []string{"1", "2"}}, // C-24
		"joined":      {beside[:1:1], one, nil, []topic.Join{{ID: "j", A: "1", B: "9"}}, []string{"1"}},
		"joined, one": {beside, one, nil, []topic.Join{{ID: "j", A: "2", B: "1"}}, []string{"1 2"}},
		"joined, two": {beside, each, nil, []topic.Join{{ID: "j", A: "2", B: "1"}}, []string{"1", "2"}},
		"beside himself": {[]topic.Fragment{
			{Conversation: "1", Customer: "A", Topic: "1"},
			{Conversation: "2", Customer: "A", Topic: "2", Beside: []string{"1"}, Via: []string{"l1"}},
		}, one, link, nil, []string{"1", "2"}},
	} {
		if d := cmp.Diff(tc.want, shown(topic.Of(tc.fragments, tc.person, tc.links, tc.joins), tc.fragments)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Whatever is stored, linked and joined: a topic never holds two persons'
// messages, each fragment is in one topic, one topic of one person is one, and
// taking every link and join back leaves nothing of them.
func TestLaw04TopicsHoldOnePerson(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]string{"A", "B", "C", "D"})
		conv := rapid.SampledFrom([]string{"1", "2", "3", "4", "5"})
		var fragments []topic.Fragment
		for range rapid.IntRange(0, 8).Draw(t, "fragments") {
			f := topic.Fragment{Conversation: conv.Draw(t, "conversation"), Customer: id.Draw(t, "customer"), Topic: conv.Draw(t, "topic")}
			if rapid.Bool().Draw(t, "beside") {
				f.Beside, f.Via = []string{conv.Draw(t, "other")}, []string{rapid.SampledFrom([]string{"l0", "l1", "l2"}).Draw(t, "via")}
			}
			fragments = append(fragments, f)
		}
		var links []topic.Link
		root := map[string]string{"A": "A", "B": "B", "C": "C", "D": "D"}
		for i := range rapid.IntRange(0, 3).Draw(t, "links") {
			l := topic.Link{ID: []string{"l0", "l1", "l2"}[i], A: id.Draw(t, "a"), B: id.Draw(t, "b")}
			links = append(links, l)
			from, to := root[l.A], root[l.B]
			for c, r := range root {
				if r == from {
					root[c] = to
				}
			}
		}
		var joins []topic.Join
		for range rapid.IntRange(0, 3).Draw(t, "joins") {
			joins = append(joins, topic.Join{A: conv.Draw(t, "a"), B: conv.Draw(t, "b")})
		}
		person := func(c string) string { return root[c] }
		topics := topic.Of(fragments, person, links, joins)
		in := map[int]int{}
		for n, tp := range topics {
			for _, i := range tp.Fragments {
				if _, twice := in[i]; twice {
					t.Fatalf("fragment %d is in two topics", i)
				}
				in[i] = n
				if person(fragments[i].Customer) != person(fragments[tp.Fragments[0]].Customer) {
					t.Fatalf("topic %d holds two persons: %v", n, tp)
				}
			}
		}
		for i, f := range fragments {
			if _, ok := in[i]; !ok {
				t.Fatalf("fragment %d is in no topic", i)
			}
			for j, g := range fragments {
				if person(f.Customer) == person(g.Customer) && (f.Topic == g.Topic || f.Conversation == g.Conversation) && in[i] != in[j] {
					t.Fatalf("%d and %d are of one topic and shown as two", i, j)
				}
			}
		}
		apart := topic.Of(fragments, func(c string) string { return c }, nil, nil)
		never := slices.Clone(fragments)
		for i := range never {
			never[i].Beside, never[i].Via = nil, nil
		}
		if d := cmp.Diff(topic.Of(never, func(c string) string { return c }, nil, nil), apart); d != "" {
			t.Fatalf("a hint outlives its links:\n%s", d)
		}
	})
}

func TestShow(t *testing.T) {
	t.Parallel()
	got := topic.Show([]topic.State{
		{Status: "closed", Assignee: "ada", Tags: []string{"b"}, LastInbound: "1"},
		{Status: "snoozed", SnoozedUntil: 20, Tags: []string{"a", "b"}, LastInbound: "3"},
		{Status: "snoozed", Assignee: "bob", SnoozedUntil: 10, LastInbound: "2"},
	})
	want := topic.State{Status: "snoozed", SnoozedUntil: 10, Tags: []string{"a", "b"}, LastInbound: "3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := topic.Show([]topic.State{{Status: "pending"}, {Status: "open"}}); got.Status != "open" {
		t.Errorf("one is open, shown %s", got.Status)
	}
}
