package console

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	authFailures *prometheus.CounterVec
	sockets      prometheus.Gauge
	closed       *prometheus.CounterVec
	resumed      *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		authFailures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftline_console_auth_failures_total", Help: "Refused credentials by kind."}, []string{"kind"}),
		sockets:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "weftline_console_sockets", Help: "Open agent websockets."}),
		closed:       prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftline_console_sockets_closed_total", Help: "Agent websockets the hub closed, by reason."}, []string{"reason"}),
		resumed:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftline_console_resumes_total", Help: "Socket starts: head, resumed or reset."}, []string{"kind"}),
	}
	reg.MustRegister(m.authFailures, m.sockets, m.closed, m.resumed)
	return m
}
