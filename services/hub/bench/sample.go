package bench

import (
	"math"
	"slices"
	"time"
)

// spread is the least, the middle and the greatest of values, of which there is one or more.
func spread(values []float64) (low, mid, high float64) {
	s := slices.Sorted(slices.Values(values))
	return s[0], (s[(len(s)-1)/2] + s[len(s)/2]) / 2, s[len(s)-1]
}

// quantile of unsorted durations, in milliseconds; 0 without any.
func quantile(ds []time.Duration, q float64) float64 {
	if len(ds) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(ds))
	i := int(math.Ceil(q*float64(len(s)))) - 1
	return ms(s[max(0, i)])
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
