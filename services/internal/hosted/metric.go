package hosted

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/internal/metric"
)

func counter(reg prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	return metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}
