package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/envelope"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// stallWait is how long a publication may wait for a place among those under
// way. Synced writes are slow enough to fill it, and the library's 200 ms is too short.
const stallWait = 30 * time.Second

// store seals and publishes entries: those of one key one after the other, the
// keys side by side. It returns when all are acknowledged.
func (in *Intake) store(ctx context.Context, all []entry) error {
	if len(all) == 0 {
		return nil
	}
	start := time.Now()
	if err := in.ensure(ctx, all); err != nil {
		return err
	}
	for i := range all {
		if err := in.seal(ctx, &all[i]); err != nil {
			return err
		}
	}
	if err := in.publish(ctx, all); err != nil {
		in.metrics.failed.Add(float64(len(all)))
		return err
	}
	in.metrics.seconds.Observe(time.Since(start).Seconds())
	for _, e := range all {
		in.metrics.accepted.WithLabelValues(e.channel, e.kind).Inc()
	}
	return nil
}

// ensure finds a data key for every entry and makes it exist: all at once, and
// one by one only when somebody among them was erased before.
func (in *Intake) ensure(ctx context.Context, all []entry) error {
	names := make([]string, len(all))
	for i := range all {
		all[i].dataKey = DataKey(all[i].key)
		names[i] = all[i].dataKey
	}
	slices.Sort(names)
	err := in.keys.Ensure(ctx, slices.Compact(names)...)
	if errors.Is(err, crypt.ErrShredded) {
		for i := range all {
			if err := in.ensureGeneration(ctx, &all[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("make data keys: %w", err)
	}
	return nil
}

// maxGenerations bounds how often one sender can be erased and write again.
const maxGenerations = 1000

func (in *Intake) ensureGeneration(ctx context.Context, e *entry) error {
	for n := 1; n <= maxGenerations; n++ {
		e.dataKey = DataKeyGeneration(e.key, n)
		err := in.keys.Ensure(ctx, e.dataKey)
		if err == nil {
			return nil
		}
		if !errors.Is(err, crypt.ErrShredded) {
			return fmt.Errorf("make data key: %w", err)
		}
	}
	return fmt.Errorf("make data key: %d of them are destroyed", maxGenerations)
}

// seal puts a large body into the blob store, and the rest into a message.
func (in *Intake) seal(ctx context.Context, e *entry) error {
	if e.raw != nil && len(e.raw.Body) > in.cfg.InlineLimit {
		key, _, err := in.blobs.Put(ctx, e.dataKey, bytes.NewReader(e.raw.Body), in.cfg.MaxBody)
		if err != nil {
			return fmt.Errorf("store body of %d bytes: %w", len(e.raw.Body), err)
		}
		e.blob = key
	}
	plain, err := e.encode()
	if err != nil {
		return err
	}
	sealed, err := in.keys.Seal(ctx, e.dataKey, plain, aad(e.kind, e.id))
	if err != nil {
		return fmt.Errorf("encrypt %s: %w", e.kind, err)
	}
	m := nats.NewMsg(e.subject(in.cfg.Partitions))
	m.Data = envelope.Marshal(sealed)
	m.Header.Set(headerKind, e.kind)
	m.Header.Set(headerID, e.id)
	ctx, span := telemetry.Span(ctx, "intake", e.attributes()...)
	natsbus.InjectTrace(ctx, m.Header)
	span.End()
	e.msg = m
	return nil
}

// publish sends the next entry of a key only once the one before it is on disk:
// an error in between must not let a later one overtake an earlier one.
func (in *Intake) publish(ctx context.Context, all []entry) error {
	var order []string
	groups := make(map[string][]entry)
	for _, e := range all {
		k := e.tenant + "/" + e.key
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], e)
	}
	if len(order) == 1 {
		return in.publishGroup(ctx, all)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(256)
	for _, k := range order {
		g.Go(func() error { return in.publishGroup(ctx, groups[k]) })
	}
	return g.Wait()
}

func (in *Intake) publishGroup(ctx context.Context, group []entry) error {
	for _, e := range group {
		f, err := in.bus.JS.PublishMsgAsync(e.msg, jetstream.WithMsgID(e.kind+"/"+e.id), jetstream.WithStallWait(stallWait))
		if err != nil {
			return fmt.Errorf("publish %s: %w", e.kind, err)
		}
		select {
		case ack := <-f.Ok():
			if ack.Duplicate {
				in.metrics.duplicates.Inc()
				in.dropBlob(ctx, e)
			}
		case err := <-f.Err():
			return fmt.Errorf("publish %s: %w", e.kind, err)
		case <-ctx.Done():
			return fmt.Errorf("wait until %s is stored: %w", e.kind, context.Cause(ctx))
		}
	}
	return nil
}

// dropBlob removes the second copy of a body whose input was stored before. One
// that cannot be removed costs space only.
func (in *Intake) dropBlob(ctx context.Context, e entry) {
	if e.blob == "" {
		return
	}
	if err := in.blobs.Delete(ctx, e.blob); err != nil && !errors.Is(err, context.Canceled) {
		in.metrics.orphans.Inc()
	}
}

// attributes of the entry's span.
func (e *entry) attributes() []attribute.KeyValue {
	if e.raw != nil {
		return []attribute.KeyValue{telemetry.Channel(e.raw.Channel), telemetry.Inbox(e.raw.Inbox)}
	}
	return []attribute.KeyValue{telemetry.Channel(e.receipt.Channel), telemetry.Inbox(e.receipt.Inbox)}
}
