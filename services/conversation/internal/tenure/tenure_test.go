package tenure_test

import (
	"testing"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/tenure"
)

func TestOwner(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	claim := func(n int64, c string) tenure.Period { return tenure.Period{Number: n, Customer: c, At: day(1)} }
	move := func(n int64, c string, from int) tenure.Period {
		return tenure.Period{Number: n, Customer: c, ValidFrom: day(from), MoveID: "m"}
	}
	released := func(n int64) tenure.Period { return tenure.Period{Number: n, EraseID: "e"} }
	for name, tc := range map[string]struct {
		history tenure.History
		tenure  int64
		opened  time.Time
		want    string
		by      int64
	}{
		"nobody's":                               {nil, 1, day(1), "", 0},
		"the one who claimed it":                 {tenure.History{claim(1, "a")}, 1, day(1), "a", 1},
		"a unit from before the move stays":      {tenure.History{claim(1, "a"), move(2, "b", 10)}, 1, day(9), "a", 1},
		"a unit opened when it was valid goes":   {tenure.History{claim(1, "a"), move(2, "b", 10)}, 1, day(10), "b", 2},
		"over two moves":                         {tenure.History{claim(1, "a"), move(2, "b", 5), move(3, "c", 10)}, 1, day(12), "c", 3},
		"the second move begins later":           {tenure.History{claim(1, "a"), move(2, "b", 5), move(3, "c", 10)}, 1, day(7), "b", 2},
		"the first begins later, the second not": {tenure.History{claim(1, "a"), move(2, "b", 10), move(3, "c", 5)}, 1, day(7), "c", 3},
		"a release ends the way":                 {tenure.History{claim(1, "a"), released(1), claim(2, "b"), move(3, "c", 1)}, 1, day(1), "a", 1},
		"what comes after it":                    {tenure.History{claim(1, "a"), released(1), claim(2, "b"), move(3, "c", 1)}, 2, day(1), "c", 3},
	} {
		if got, by := tc.history.Owner(tc.tenure, tc.opened); got != tc.want || by != tc.by {
			t.Errorf("%s: %q by %d, want %q by %d", name, got, by, tc.want, tc.by)
		}
	}
}
