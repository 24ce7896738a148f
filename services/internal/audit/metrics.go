package audit

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/internal/metric"
)

type metrics struct {
	entries *prometheus.CounterVec
	failing prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		entries: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weftline_audit_entries_total", Help: "Entries on disk, by outcome.",
		}, []string{"outcome"})),
		failing: metric.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weftline_audit_failing", Help: "1 while the audit log cannot be written; entries wait, and when too many do, reads wait too.",
		})),
	}
}

func (m *metrics) wrote(entries []Entry) {
	for _, e := range entries {
		m.entries.WithLabelValues(e.Outcome).Inc()
	}
}
