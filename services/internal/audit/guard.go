package audit

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/metric"
)

// BulkWindow is the time over which a Guard counts.
const BulkWindow = 10 * time.Minute

// bulkFactor times the limit is refused.
const bulkFactor = 5

// Recorder takes entries; *Log is meant.
type Recorder interface {
	Record(ctx context.Context, e Entry) error
}

// Guard watches how much one actor reads. The hub itself is not watched.
//
// It counts different things (a customer's timeline, a file) from the first
// reading of each within ten minutes. More than Limit raises an alert, once in
// that time; more than five times Limit is refused until the oldest are ten
// minutes past. It counts in this process and forgets when it ends.
type Guard struct {
	limit   int
	record  Recorder
	log     *slog.Logger
	now     func() time.Time
	results *prometheus.CounterVec

	mu     sync.Mutex
	actors map[string]*readings
}

// readings of one actor: each thing once, in the order of their first reading.
type readings struct {
	have    map[string]bool
	order   []reading
	alerted time.Time
	refused time.Time
}

type reading struct {
	thing string
	at    time.Time
}

// NewGuard watches for more than limit things; 0 watches nothing. now may be nil.
func NewGuard(limit int, record Recorder, log *slog.Logger, reg prometheus.Registerer, now func() time.Time) *Guard {
	if now == nil {
		now = time.Now
	}
	return &Guard{
		limit: limit, record: record, log: log, now: now, actors: map[string]*readings{},
		results: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weftline_audit_bulk_reads_total", Help: "Alerts about much reading by one actor, and calls refused for it.",
		}, []string{"result"})),
	}
}

// Reads counts that the actor of ctx is about to read a thing. A wait above 0
// refuses it: it may be tried again after that time.
func (g *Guard) Reads(ctx context.Context, thing string) (wait time.Duration, err error) {
	who, ok := actor.From(ctx)
	if g.limit <= 0 || !ok || who.Kind == actor.KindSystem {
		return 0, nil
	}
	wait, alert := g.count(who.ID, thing)
	if wait > 0 {
		g.results.WithLabelValues("refused").Inc()
	}
	if alert == "" {
		return wait, nil
	}
	e := Entry{Action: AlertBulkRead, IDs: map[string]string{"limit": strconv.Itoa(g.limit)}}
	if alert == alertRefused {
		e.Outcome, e.Reason = OutcomeRefused, "resource_exhausted"
	} else {
		g.results.WithLabelValues("alert").Inc()
	}
	g.log.WarnContext(ctx, "one actor reads very much", "actor", who.ID, "limit", g.limit, "result", alert)
	return wait, g.record.Record(ctx, e)
}

// Alerts.
const (
	alertMany    = "alert"
	alertRefused = "refused"
)

func (g *Guard) count(who, thing string) (wait time.Duration, alert string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	r := g.actors[who]
	if r == nil {
		g.sweep(now)
		r = &readings{have: map[string]bool{}}
		g.actors[who] = r
	}
	r.expire(now)
	if r.have[thing] {
		return 0, ""
	}
	if len(r.order) >= bulkFactor*g.limit {
		wait = r.order[0].at.Add(BulkWindow).Sub(now)
		if now.Sub(r.refused) < BulkWindow {
			return wait, ""
		}
		r.refused = now
		return wait, alertRefused
	}
	r.have[thing] = true
	r.order = append(r.order, reading{thing, now})
	if len(r.order) > g.limit && now.Sub(r.alerted) >= BulkWindow {
		r.alerted = now
		return 0, alertMany
	}
	return 0, ""
}

func (r *readings) expire(now time.Time) {
	i := 0
	for ; i < len(r.order) && now.Sub(r.order[i].at) >= BulkWindow; i++ {
		delete(r.have, r.order[i].thing)
	}
	r.order = r.order[i:]
}

// sweep forgets who has read nothing lately, when somebody new comes.
func (g *Guard) sweep(now time.Time) {
	for who, r := range g.actors {
		if r.expire(now); len(r.order) == 0 && now.Sub(r.alerted) >= BulkWindow && now.Sub(r.refused) >= BulkWindow {
			delete(g.actors, who)
		}
	}
}
