package telemetry

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// A message is one trace from the provider to the agent's screen and back:
//
//	intake ─► ingest ─► (commit carries it) ─► deliver      to a console's socket
//	rpc ───────────────► (commit carries it) ─► outbox ─► send
//
// Span names are the words above. Attributes are channels and inbox ids, never
// anything of a customer.

const scope = "github.com/weftline/weftline"

// Span starts a span; end it with End. Without an exporter it costs next to nothing.
func Span(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return otel.Tracer(scope).Start(ctx, name, trace.WithAttributes(attrs...))
}

// End ends a span, with the outcome but without the error's words: they may name an address.
func End(s trace.Span, err error) {
	if err != nil {
		s.SetStatus(codes.Error, "")
	}
	s.End()
}

// Traceparent is the W3C header of ctx's trace, "" when there is none.
func Traceparent(ctx context.Context) string {
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, c)
	return c["traceparent"]
}

// WithTraceparent continues the trace a stored header names.
func WithTraceparent(ctx context.Context, header string) context.Context {
	if header == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": header})
}

// Channel and Inbox are the attributes of spans.
func Channel(name string) attribute.KeyValue { return attribute.String("weftline.channel", name) }
func Inbox(id string) attribute.KeyValue     { return attribute.String("weftline.inbox", id) }

// Detach leaves the trace of ctx: what a long-lived socket carries are traces of their own.
func Detach(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.SpanContext{})
}
