package natsbus

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"

	"github.com/weftline/weftline/services/internal/metric"
)

// outcome carries a handler's error from the router to the lane, which
// Watermill's Nack alone cannot.
type outcome struct {
	mu  sync.Mutex
	err error
}

type outcomeKey struct{}

func (o *outcome) set(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *outcome) get() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// NewRouter is a Watermill router for handlers behind a Subscriber: recoverer,
// correlation id, trace context (W3C, from the message's headers), metrics.
// There is no retry and no poison queue among the middleware, because both are
// the lane's. reg may be nil.
//
// Run it with router.Run(ctx); when ctx ends, running handlers may finish
// (SubscriberConfig.Drain) before Run returns.
func NewRouter(log *slog.Logger, reg prometheus.Registerer) (*message.Router, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	// A router speaks of every start and stop: that is debug here.
	logger := watermill.NewSlogLoggerWithLevelMapping(log, map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug})
	r, err := message.NewRouter(message.RouterConfig{CloseTimeout: time.Minute}, logger)
	if err != nil {
		return nil, err
	}
	duration := metric.Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "weftline_handler_seconds", Help: "How long handlers of stream messages took.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
	}, []string{"handler", "result"}))
	r.AddMiddleware(tellLane, middleware.Recoverer, middleware.CorrelationID, extractTrace, measure(duration))
	return r, nil
}

// tellLane hands the error to the lane, which logs it once it knows what follows.
func tellLane(h message.HandlerFunc) message.HandlerFunc {
	return func(m *message.Message) ([]*message.Message, error) {
		out, err := h(m)
		o, ok := m.Context().Value(outcomeKey{}).(*outcome)
		if err == nil || !ok {
			return out, err
		}
		o.set(err)
		m.Nack()
		return nil, nil
	}
}

func extractTrace(h message.HandlerFunc) message.HandlerFunc {
	return func(m *message.Message) ([]*message.Message, error) {
		carrier := propagation.MapCarrier{
			"traceparent": m.Metadata.Get("traceparent"),
			"tracestate":  m.Metadata.Get("tracestate"),
		}
		before := m.Context()
		m.SetContext(propagation.TraceContext{}.Extract(before, carrier))
		return h(m)
	}
}

func measure(duration *prometheus.HistogramVec) message.HandlerMiddleware {
	return func(h message.HandlerFunc) message.HandlerFunc {
		return func(m *message.Message) ([]*message.Message, error) {
			start := time.Now()
			result := "panic"
			defer func() {
				duration.WithLabelValues(message.HandlerNameFromCtx(m.Context()), result).Observe(time.Since(start).Seconds())
			}()
			out, err := h(m)
			result = "ok"
			if err != nil {
				result = "error"
			}
			return out, err
		}
	}
}

// InjectTrace writes the trace context of ctx into headers (W3C traceparent, in
// lower case as other programs write it: NATS headers are case-sensitive).
func InjectTrace(ctx context.Context, h nats.Header) {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	for k, v := range carrier {
		h.Set(k, v)
	}
}
