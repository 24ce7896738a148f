package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Addresses are sealed under a key of the day they were recorded on (UTC). When
// the day's start is AddressDays ago its key is destroyed, in the key table's
// files too: none is kept longer than that. An entry never changes.

// Expired says, in the state store, up to which day addresses were removed: one
// document a tenant, and its sequence is the day.
var Expired = docstore.Collection{Name: "audit_expired"}

const day = 24 * time.Hour

// dayOf counts days since 1970.
func dayOf(t time.Time) int64 { return t.Unix() / int64(day/time.Second) }

func (l *Log) addressKey(t time.Time) string { return l.dayKey(dayOf(t)) }

func (l *Log) dayKey(n int64) string {
	return "audit/from/" + l.cfg.Tenant + "/" + time.Unix(0, 0).UTC().AddDate(0, 0, int(n)).Format(time.DateOnly)
}

// firstDay is before any address of a log that has no mark yet.
func (l *Log) firstDay(ctx context.Context) (int64, error) {
	s, err := l.deps.JS.Stream(ctx, subject.StreamAudit)
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", subject.StreamAudit, err)
	}
	if state := s.CachedInfo().State; state.Msgs > 0 {
		return max(dayOf(state.FirstTime)-1, 0), nil
	}
	return dayOf(l.cfg.Now()), nil
}

// expire destroys the keys of the days that are over for long enough.
func (l *Log) expire(ctx context.Context) error {
	through := dayOf(l.cfg.Now()) - int64(max(l.cfg.AddressDays, 1)) // the last day to go
	if through < 0 {
		return nil
	}
	done, err := l.deps.State.Get(ctx, Expired.Name, l.cfg.Tenant)
	from := int64(done.Seq) + 1
	if errors.Is(err, docstore.ErrNotFound) {
		from, err = l.firstDay(ctx)
	}
	if err != nil {
		return fmt.Errorf("read how far addresses have expired: %w", err)
	}
	through = max(through, from-1) // nothing was before a log that is new
	if through == int64(done.Seq) {
		return nil
	}
	var keys []string
	for n := from; n <= through; n++ {
		keys = append(keys, l.dayKey(n))
	}
	if len(keys) > 0 {
		if err := l.deps.Keys.Destroy(ctx, keys...); err != nil {
			return fmt.Errorf("remove expired addresses from the audit log: %w", err)
		}
	}
	doc := docstore.Doc{ID: l.cfg.Tenant, Seq: uint64(through), JSON: []byte(`{}`)}
	if err := l.deps.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: Expired.Name, Doc: doc}}}); err != nil {
		return fmt.Errorf("note how far addresses have expired: %w", err)
	}
	return nil
}

// expireEvery is how often it is looked whether a day is over.
const expireEvery = time.Hour

// expireDaily goes on until the log is closed.
func (l *Log) expireDaily(ctx context.Context) {
	defer close(l.expired)
	t := time.NewTicker(expireEvery)
	defer t.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := l.expire(ctx); err != nil && ctx.Err() == nil {
			l.deps.Log.ErrorContext(ctx, "addresses in the audit log are over their time and could not be removed: it is tried again", "error", err)
		}
	}
}
