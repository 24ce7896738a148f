package law_test

import (
	"flag"
	"os"
	"testing"

	"pgregory.net/rapid"
)

type rapidSource struct{ t *rapid.T }

func (s rapidSource) Draw(label string, n int) int { return rapid.IntRange(0, n-1).Draw(s.t, label) }

// history is one random history of the domain as it is, brought to its end.
func history(t *rapid.T, f faults) *world {
	w := newWorld(t, rapidSource{t}, f)
	w.run(rapid.IntRange(10, 80).Draw(t, "steps"))
	w.finish()
	return w
}

func check(t *testing.T, f faults, laws ...func(*world) error) {
	t.Helper()
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := history(t, f)
		for _, law := range laws {
			if err := law(w); err != nil {
				t.Fatalf("%v\n%s", err, w.report())
			}
		}
	})
}

// histories of each law, by default.
var histories = "100"

// TestMain chooses the histories: the same hundred each time, so that a change
// is judged by its own doing; with WEFTLINE_TEST_FULL 3,000 new ones, to find
// what those do not show. What is given on the command line counts.
func TestMain(m *testing.M) {
	choose := map[string]string{"rapid.checks": histories, "rapid.seed": "20261127"}
	if os.Getenv("WEFTLINE_TEST_FULL") != "" {
		choose = map[string]string{"rapid.checks": "3000"}
	}
	for name, value := range choose {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}

func TestLaw01OnceWhateverCrashesAndComesAgain(t *testing.T) { check(t, faults{}, (*world).once) }
func TestLaw02OrderWhateverTheClocksSay(t *testing.T)        { check(t, faults{}, (*world).inOrder) }
func TestLaw05DecidingTwiceDecidesNothing(t *testing.T)      { check(t, faults{}, (*world).twice) }
func TestLaw06AnswerWhereAskedWhateverMoves(t *testing.T)    { check(t, faults{}, (*world).whereAsked) }
func TestLaw08EveryOpenQuestionGoesOnOnce(t *testing.T)      { check(t, faults{}, (*world).heads) }
func TestLaw09ErasedForAllAndHarmlessToOthers(t *testing.T)  { check(t, faults{}, (*world).shredded) }
func TestLaw09OfTwoOriginalsTheNamedOneStays(t *testing.T)   { check(t, faults{}, (*world).spared) }

// TestLaw09PurgedStreamsBringNothingBack: what the handles' streams keep is enough
// when of the erased customers' streams nothing is left, and the timeline knows
// nothing of what was theirs, wherever their handles have gone.
func TestLaw09PurgedStreamsBringNothingBack(t *testing.T) {
	check(t, faults{Purged: true}, (*world).once, (*world).shredded, (*world).twice)
}
