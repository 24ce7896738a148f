package email

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/services/internal/metric"
)

// metrics of the channel. No address, inbox or id is ever a label.
type metrics struct {
	received prometheus.Counter
	bytes    prometheus.Counter
	notes    *prometheus.CounterVec
	sessions *prometheus.CounterVec
	rescans  prometheus.Counter
	restored prometheus.Counter
	passed   prometheus.Counter
	unmoved  prometheus.Counter
	copies   *prometheus.CounterVec
	sent     *prometheus.CounterVec
	sendTime prometheus.Histogram
	tokens   *prometheus.CounterVec
}

// token counts answers of token endpoints.
func (m metrics) token(result string) { m.tokens.WithLabelValues(result).Inc() }

func newMetrics(reg prometheus.Registerer) metrics {
	counter := func(name, help string) prometheus.Counter {
		return metric.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: "weftline_email_" + name, Help: help}))
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftline_email_" + name, Help: help}, []string{label}))
	}
	return metrics{
		received: counter("received_total", "Mails taken in."),
		bytes:    counter("received_bytes_total", "Bytes of mails taken in."),
		notes:    vec("notes_total", "Mails of which only a note was kept, by reason.", "reason"),
		sessions: vec("imap_sessions_total", "IMAP connections opened and lost.", "result"),
		unmoved:  counter("imap_after_refused_total", "Times a server refused to mark or move mails that are safe."),
		copies:   vec("sent_copies_total", "Copies of sent mails for the folder of sent mail, by result.", "result"),
		passed:   counter("passed_over_total", "Mails left alone because they are for other addresses (only_to)."),
		rescans:  counter("imap_rescans_total", "Folders read anew after their UIDVALIDITY changed."),
		restored: counter("imap_restored_total", "Folders read anew because they were put back to an earlier state."),
		sent:     vec("sent_total", "Sending attempts by result.", "result"),
		tokens:   vec("tokens_total", "Access tokens asked for, by result.", "result"),
		sendTime: metric.Register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "weftline_email_send_seconds", Help: "Time of a sending attempt.", Buckets: prometheus.ExponentialBuckets(0.05, 3, 9)})),
	}
}
