package intake

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/internal/metric"
)

type metrics struct {
	accepted   *prometheus.CounterVec
	refused    prometheus.Counter
	failed     prometheus.Counter
	duplicates prometheus.Counter
	orphans    prometheus.Counter
	seconds    prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return metric.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help}))
	}
	return &metrics{
		accepted: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weftline_intake_accepted_total", Help: "Inputs and receipts on disk, duplicates among them.",
		}, []string{"channel", "kind"})),
		refused:    counter("weftline_intake_refused_total", "Inputs and receipts with invalid fields."),
		failed:     counter("weftline_intake_failed_total", "Inputs and receipts of calls that could not be stored; adapters offer them again."),
		duplicates: counter("weftline_intake_duplicates_total", "Inputs that had been stored within the last two minutes."),
		orphans:    counter("weftline_intake_orphaned_blobs_total", "Second copies of bodies that could not be removed."),
		seconds: metric.Register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weftline_intake_seconds", Help: "From the call to the durable acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		})),
	}
}
