package stream

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/internal/metric"
)

type metrics struct {
	readers        prometheus.Gauge
	closed         *prometheus.CounterVec
	events         *prometheus.CounterVec
	refused        *prometheus.CounterVec
	untranslatable prometheus.Counter
	lag            prometheus.Gauge
	failures       prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		readers: metric.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weftline_stream_readers", Help: "Integrators reading server-sent events.",
		})),
		closed: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weftline_stream_closed_total", Help: "Ended readers by reason.",
		}, []string{"reason"})),
		events: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weftline_stream_events_total", Help: "Public events sent, by way: sse or nats.",
		}, []string{"way"})),
		refused: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weftline_stream_refused_total", Help: "Requests refused before a stream began, by code.",
		}, []string{"code"})),
		untranslatable: metric.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weftline_stream_untranslatable_total", Help: "Events that could not be made public. Should be 0.",
		})),
		lag: metric.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weftline_stream_publish_lag_seconds", Help: "Age of the event last published to NATS, when it was published.",
		})),
		failures: metric.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weftline_stream_publish_failures_total", Help: "Times publishing to NATS had to start again.",
		})),
	}
}
