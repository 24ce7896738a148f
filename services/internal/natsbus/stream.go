package natsbus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// Config says what the streams look like when they are created. Changing it
// later changes nothing about streams that exist; other partitions are refused.
type Config struct {
	InPartitions int           // default 4; fixed at creation
	Replicas     int           // default 1; 3 in a cluster
	InMaxAge     time.Duration // default 0: originals are kept for ever
	PubMaxAge    time.Duration // default 30 days
}

// dedupWindow is how long JetStream itself remembers message ids. Longer
// windows cost start-up time; the lasting guard is the receiver's.
const dedupWindow = 2 * time.Minute

// Metadata keys of streams.
const (
	metaPartitions = "weftline_partitions"
	metaComplete   = "weftline_complete"
)

// Declare creates the streams IN-0…, OUT, TIMERS, PUB, AUDIT and POISON, idempotently.
// It refuses another number of partitions than at creation, a stream that is
// missing although the others were completed, and a stream of our name with
// other subjects or another retention.
func (b *Bus) Declare(ctx context.Context, cfg Config) error {
	if cfg.InPartitions == 0 {
		cfg.InPartitions = 4
	}
	if cfg.InPartitions < 1 || cfg.InPartitions > 64 {
		return fmt.Errorf("declare streams: in_partitions is %d, want 1 to 64", cfg.InPartitions)
	}
	if cfg.Replicas == 0 {
		cfg.Replicas = 1
	}
	if cfg.PubMaxAge == 0 {
		cfg.PubMaxAge = 30 * 24 * time.Hour
	}
	there := make(map[string]jetstream.StreamConfig)
	l := b.JS.ListStreams(ctx)
	for i := range l.Info() {
		there[i.Config.Name] = i.Config
	}
	if err := l.Err(); err != nil {
		return fmt.Errorf("list streams: %w", err)
	}
	if err := checkPartitions(there, cfg.InPartitions); err != nil {
		return err
	}
	want := streams(cfg)
	// The last one is written when all others are there. A hub that died while
	// it created them simply goes on. AUDIT came later than the others: hubs of
	// before do not have it, and that it was removed is noticed by its anchor.
	_, complete := there[want[len(want)-1].Name]
	for _, s := range want {
		have, ok := there[s.Name]
		switch {
		case ok:
			if err := sameStream(have, s); err != nil {
				return err
			}
		case complete && s.Name != subject.StreamAudit:
			return fmt.Errorf("stream %s is missing although it was created: restore it, or remove all streams to start anew", s.Name)
		default:
			if _, err := b.JS.CreateStream(ctx, s); err != nil {
				return fmt.Errorf("create stream %s: %w", s.Name, err)
			}
		}
	}
	return nil
}

// InPartitions is the number of partitions IN was created with.
func (b *Bus) InPartitions(ctx context.Context) (int, error) {
	s, err := b.JS.Stream(ctx, subject.InStream(0))
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", subject.InStream(0), err)
	}
	n, err := strconv.Atoi(s.CachedInfo().Config.Metadata[metaPartitions])
	if err != nil {
		return 0, fmt.Errorf("stream %s: partitions: %w", subject.InStream(0), err)
	}
	return n, nil
}

// InStreams names the input streams: what a subscriber spans.
func InStreams(partitions int) []string {
	s := make([]string, partitions)
	for p := range s {
		s[p] = subject.InStream(p)
	}
	return s
}

func checkPartitions(there map[string]jetstream.StreamConfig, n int) error {
	for name, c := range there {
		p, ok := strings.CutPrefix(name, "IN-")
		if !ok {
			continue
		}
		if _, err := strconv.Atoi(p); err != nil {
			continue
		}
		if got := c.Metadata[metaPartitions]; got != strconv.Itoa(n) {
			return fmt.Errorf("stream %s was created with %s partitions and %d are configured: the number is fixed at creation", name, got, n)
		}
	}
	return nil
}

func sameStream(have, want jetstream.StreamConfig) error {
	var errs []error
	if !slices.Equal(have.Subjects, want.Subjects) {
		errs = append(errs, fmt.Errorf("subjects are %v, want %v", have.Subjects, want.Subjects))
	}
	if have.Retention != want.Retention {
		errs = append(errs, fmt.Errorf("retention is %s, want %s", have.Retention, want.Retention))
	}
	if have.Storage != want.Storage {
		errs = append(errs, fmt.Errorf("storage is %s, want %s", have.Storage, want.Storage))
	}
	if want.AllowMsgSchedules && !have.AllowMsgSchedules {
		errs = append(errs, errors.New("message schedules are off"))
	}
	if want.DenyDelete && (!have.DenyDelete || !have.DenyPurge) {
		errs = append(errs, errors.New("messages can be deleted"))
	}
	if have.PersistMode != want.PersistMode {
		errs = append(errs, errors.New("persist mode is not the default: acknowledged messages could be lost"))
	}
	if len(errs) > 0 {
		return fmt.Errorf("stream %s exists with other settings: %w", want.Name, errors.Join(errs...))
	}
	return nil
}

// streams lists the streams in the order of their creation.
func streams(cfg Config) []jetstream.StreamConfig {
	base := func(name, subj string) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Subjects: []string{subj},
			Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
			Replicas: cfg.Replicas, Duplicates: dedupWindow, AllowDirect: true,
		}
	}
	var all []jetstream.StreamConfig
	for p := range cfg.InPartitions {
		s := base(subject.InStream(p), fmt.Sprintf("in.%d.>", p))
		s.MaxAge = cfg.InMaxAge
		s.Metadata = map[string]string{metaPartitions: strconv.Itoa(cfg.InPartitions)}
		all = append(all, s)
	}
	out := base(subject.StreamOut, "out.>")
	out.Retention = jetstream.WorkQueuePolicy

	// Schedules can be allowed only while a stream is empty, hence one of their
	// own. As a work queue it forgets what fired and was handled, and keeps a
	// timer that fired while its service was away.
	timers := base(subject.StreamTimers, "timer.>")
	timers.Subjects = []string{"timer.>", "fired.>"}
	timers.Retention = jetstream.WorkQueuePolicy
	timers.AllowMsgSchedules = true
	timers.AllowRollup = true
	timers.Discard = jetstream.DiscardOld // schedules require it; without limits nothing is discarded

	pub := base(subject.StreamPub, "weftline.v1.>")
	pub.MaxAge = cfg.PubMaxAge

	// Kept for ever. The server itself refuses to delete from it or to purge it,
	// and does not let these settings be taken back.
	audit := base(subject.StreamAudit, "audit.>")
	audit.DenyDelete, audit.DenyPurge = true, true

	poison := base(subject.StreamPoison, "poison.>")
	poison.MaxAge = 90 * 24 * time.Hour
	poison.Metadata = map[string]string{metaComplete: "1"}
	return append(all, out, timers, pub, audit, poison)
}
