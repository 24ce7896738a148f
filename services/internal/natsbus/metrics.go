package natsbus

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/internal/metric"
)

// laneMetrics describe the lanes of one durable consumer.
type laneMetrics struct {
	handled *prometheus.CounterVec // by result
	lanes   prometheus.Gauge
	held    prometheus.Gauge
	parked  prometheus.Gauge
}

func newLaneMetrics(reg prometheus.Registerer, durable string) *laneMetrics {
	handled := metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weftline_lane_messages_total", Help: "Attempts at stream messages by result: ok, retry, poison.",
	}, []string{"consumer", "result"}))
	gauge := func(name, help string) prometheus.Gauge {
		return metric.Register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"consumer"})).WithLabelValues(durable)
	}
	return &laneMetrics{
		handled: handled.MustCurryWith(prometheus.Labels{"consumer": durable}),
		lanes:   gauge("weftline_lanes", "Keys that have messages."),
		held:    gauge("weftline_lane_held", "Messages delivered and not acknowledged."),
		parked:  gauge("weftline_lanes_waiting", "Lanes that wait more than a second for their next attempt."),
	}
}
