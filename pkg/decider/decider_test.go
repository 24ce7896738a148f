package decider_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/decider"
	"github.com/weftline/weftline/pkg/decider/decidertest"
)

type (
	state struct{ open map[string]bool }
	open  struct{ name string }
	done  struct{ Name string }
)

var errEmpty = errors.New("a name is needed")

var doors = decider.Decider[state, open, done]{
	Decide: func(s state, c open) ([]done, error) {
		switch {
		case c.name == "":
			return nil, errEmpty
		case s.open[c.name]:
			return nil, nil
		}
		return []done{{c.name}}, nil
	},
	Evolve: func(s state, e done) state {
		s.open = maps.Clone(s.open)
		if s.open == nil {
			s.open = map[string]bool{}
		}
		s.open[e.Name] = true
		return s
	},
}

func TestScenarioReadsAsASentence(t *testing.T) {
	t.Parallel()
	decidertest.For(t, doors).When(open{"front"}).Then(done{"front"}).AndAgain(open{"front"}).ThenNothing()
	decidertest.For(t, doors).Given(done{"front"}, done{"back"}).When(open{"back"}).ThenNothing()
	decidertest.For(t, doors).Given(done{"front"}).When(open{""}).ThenError(errEmpty)
	decidertest.For(t, doors).When(open{"side"}).ThenState(func(s state) {
		if !s.open["side"] {
			t.Error("side is not open")
		}
	})
}

func TestFoldFromContinuesAFold(t *testing.T) {
	t.Parallel()
	half := doors.Fold(done{"a"})
	whole := doors.FoldFrom(half, done{"b"})
	if !whole.open["a"] || !whole.open["b"] || half.open["b"] {
		t.Errorf("half %v, whole %v", half, whole)
	}
}

// complaints records what a test would have failed with.
type complaints struct {
	testing.TB
	said []string
}

func (c *complaints) Helper()                      {}
func (c *complaints) Errorf(f string, args ...any) { c.said = append(c.said, f) }

func TestScenarioComplains(t *testing.T) {
	t.Parallel()
	impure := doors
	impure.Decide = func(s state, c open) ([]done, error) {
		s.open["x"] = true
		return nil, nil
	}
	for want, run := range map[string]func(testing.TB){
		"events":  func(t testing.TB) { decidertest.For(t, doors).When(open{"a"}).Then(done{"b"}) },
		"refused": func(t testing.TB) { decidertest.For(t, doors).When(open{}).Then(done{"b"}) },
		"error":   func(t testing.TB) { decidertest.For(t, doors).When(open{"a"}).ThenError(errEmpty) },
		"changed": func(t testing.TB) { decidertest.For(t, impure).Given(done{"a"}).When(open{"a"}).ThenNothing() },
	} {
		c := &complaints{TB: t}
		run(c)
		if len(c.said) == 0 || !strings.Contains(c.said[0], want) {
			t.Errorf("said %q, want %q in it", c.said, want)
		}
	}
}
