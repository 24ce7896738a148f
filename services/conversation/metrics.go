package conversation

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/pkg/projection"
)

// lagCollector shows how far the followers of the log are, as of each scrape.
type lagCollector struct {
	lags                  func() []projection.Lag
	behind, left, failing *prometheus.Desc
}

// registerLags exports lags; a nil registerer does nothing.
func registerLags(reg prometheus.Registerer, lags func() []projection.Lag) error {
	if reg == nil {
		return nil
	}
	labels := []string{"sink", "partition"}
	return reg.Register(lagCollector{
		lags: lags,
		behind: prometheus.NewDesc("weftline_projection_behind_seconds",
			"Between the recording of the newest commit and of the last one applied. 0 when there is nothing to do, and while the newest was recorded before the start.", labels, nil),
		left: prometheus.NewDesc("weftline_projection_behind_commits",
			"Commits between the last one applied and the newest: at most as many are left to do.", labels, nil),
		failing: prometheus.NewDesc("weftline_projection_failing",
			"1 while the last attempt of a sink failed; it is tried again.", labels, nil),
	})
}

// Describe implements prometheus.Collector.
func (c lagCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.behind
	out <- c.left
	out <- c.failing
}

// Collect implements prometheus.Collector.
func (c lagCollector) Collect(out chan<- prometheus.Metric) {
	for _, lag := range c.lags() {
		partition, failing := strconv.Itoa(lag.Partition), 0.0
		if lag.Err != nil {
			failing = 1
		}
		out <- prometheus.MustNewConstMetric(c.behind, prometheus.GaugeValue, lag.Behind.Seconds(), lag.Sink, partition)
		out <- prometheus.MustNewConstMetric(c.left, prometheus.GaugeValue, float64(lag.Head-lag.Applied), lag.Sink, partition)
		out <- prometheus.MustNewConstMetric(c.failing, prometheus.GaugeValue, failing, lag.Sink, partition)
	}
}
