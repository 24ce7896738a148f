package chat

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	open     prometheus.Gauge
	closed   *prometheus.CounterVec
	messages *prometheus.CounterVec
	garbage  prometheus.Counter
	limited  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		open:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "weftline_chat_connections", Help: "Open widget connections."}),
		closed:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftline_chat_closed_total", Help: "Connections ended by the hub, by close code."}, []string{"code"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftline_chat_messages_total", Help: "Messages, by direction."}, []string{"direction"}),
		garbage:  prometheus.NewCounter(prometheus.CounterOpts{Name: "weftline_chat_garbage_frames_total", Help: "Frames that could not be read."}),
		limited:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftline_chat_limited_total", Help: "Requests refused by a rate limit, by what was limited."}, []string{"what"}),
	}
	if r != nil {
		r.MustRegister(m.open, m.closed, m.messages, m.garbage, m.limited)
	}
	return m
}

func (m metrics) ended(code int) { m.closed.WithLabelValues(strconv.Itoa(code)).Inc() }
