package outbox

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/internal/metric"
)

type metrics struct {
	results *prometheus.CounterVec
	seconds prometheus.Observer
}

func newMetrics(reg prometheus.Registerer, channelName string) *metrics {
	results := metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weftline_outbox_results_total", Help: "Where sends led to: sent, failed, retry, unknown, lost, erased.",
	}, []string{"channel", "result"}))
	seconds := metric.Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "weftline_outbox_send_seconds", Help: "How long channels took to send.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
	}, []string{"channel"}))
	return &metrics{
		results: results.MustCurryWith(prometheus.Labels{"channel": channelName}),
		seconds: seconds.WithLabelValues(channelName),
	}
}
