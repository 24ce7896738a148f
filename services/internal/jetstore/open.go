package jetstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// What a stream remembers of the log it belongs to.
const (
	metaPartitions = "weftline.partitions"
	metaComplete   = "weftline.complete" // set when all partitions had been created
)

// prepare creates what is missing on the very first start and refuses to go on
// when something is missing or unsafe later.
func prepare(ctx context.Context, js jetstream.JetStream, cfg Config) (jetstream.KeyValue, error) {
	snap, err := ask(ctx, func(ctx context.Context) (jetstream.KeyValue, error) { return js.KeyValue(ctx, SnapBucket) })
	if err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, fmt.Errorf("look up bucket %s: %w", SnapBucket, err)
	}
	existing := cfg.Existing || snap != nil // the bucket is created last

	var missing, unfinished []int
	for p := range cfg.Partitions {
		info, err := streamInfo(ctx, js, subject.EvtStream(p))
		switch {
		case err != nil:
			return nil, err
		case info == nil:
			missing = append(missing, p)
			continue
		}
		if err := check(info, p, cfg.Partitions); err != nil {
			return nil, err
		}
		if info.Config.Metadata[metaComplete] == "" && info.State.LastSeq == 0 {
			unfinished = append(unfinished, p)
		} else {
			existing = true
		}
	}
	// Fewer partitions than there are would lose sight of the rest.
	if info, err := streamInfo(ctx, js, subject.EvtStream(cfg.Partitions)); err != nil {
		return nil, err
	} else if info != nil {
		return nil, fmt.Errorf("stream %s exists, but only %d partitions are configured; the number is fixed at creation",
			info.Config.Name, cfg.Partitions)
	}
	if existing && len(missing) > 0 {
		return nil, fmt.Errorf("stream %s is missing although the log exists: refusing to create an empty one; "+
			"check the JetStream encryption key and the data directory, or restore it from a backup",
			subject.EvtStream(missing[0]))
	}
	for _, p := range missing {
		if _, err := ask(ctx, func(ctx context.Context) (jetstream.Stream, error) {
			return js.CreateStream(ctx, streamConfig(p, cfg))
		}); err != nil {
			return nil, fmt.Errorf("create stream %s: %w", subject.EvtStream(p), err)
		}
	}
	for _, p := range append(unfinished, missing...) {
		sc := streamConfig(p, cfg)
		sc.Metadata[metaComplete] = "true"
		if _, err := ask(ctx, func(ctx context.Context) (jetstream.Stream, error) {
			return js.UpdateStream(ctx, sc)
		}); err != nil {
			return nil, fmt.Errorf("mark stream %s complete: %w", sc.Name, err)
		}
	}
	if snap == nil {
		snap, err = ask(ctx, func(ctx context.Context) (jetstream.KeyValue, error) {
			return js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: SnapBucket, Description: "Snapshots of aggregates. Losing one costs time only.",
				History: 1, Replicas: cfg.Replicas, Storage: jetstream.FileStorage, Compression: true,
			})
		})
		if err != nil {
			return nil, fmt.Errorf("create bucket %s: %w", SnapBucket, err)
		}
	}
	return snap, nil
}

func streamInfo(ctx context.Context, js jetstream.JetStream, name string) (*jetstream.StreamInfo, error) {
	stream, err := ask(ctx, func(ctx context.Context) (jetstream.Stream, error) { return js.Stream(ctx, name) })
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", name, err)
	}
	return stream.CachedInfo(), nil
}

func streamConfig(p int, cfg Config) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        subject.EvtStream(p),
		Description: "Partition of the event log. Never edited; deleted from by erasure only.",
		Subjects:    []string{fmt.Sprintf("evt.%d.>", p)},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew, // should a limit ever be set by hand: refuse, do not forget
		Compression: jetstream.S2Compression,
		Replicas:    cfg.Replicas,
		AllowDirect: true,
		// A longer window would cost memory and start time; the commit id is the real guard.
		Duplicates: 2 * time.Minute,
		MaxMsgSize: 1 << 20,
		Metadata:   map[string]string{metaPartitions: strconv.Itoa(cfg.Partitions)},
	}
}

// check says what makes a stream unfit to hold the truth.
func check(info *jetstream.StreamInfo, p, partitions int) error {
	c := info.Config
	if got := c.Metadata[metaPartitions]; got != strconv.Itoa(partitions) {
		return fmt.Errorf("stream %s belongs to a log of %q partitions, %d are configured; the number is fixed at creation",
			c.Name, got, partitions)
	}
	for _, bad := range []struct {
		is   bool
		what string
	}{
		{c.PersistMode != jetstream.DefaultPersistMode, "persist_mode async: acknowledges before writing"},
		{c.Storage != jetstream.FileStorage, "storage is not file"},
		{c.Retention != jetstream.LimitsPolicy, "retention is not limits: reading would delete"},
		{c.MaxAge > 0 || c.MaxMsgs > 0 || c.MaxBytes > 0 || c.MaxMsgsPerSubject > 0, "a limit is set: history would be lost or refused"},
		{c.NoAck, "no_ack: commits are not confirmed"},
		{c.Sealed, "sealed: nothing can be appended"},
		{c.AllowMsgTTL, "allow_msg_ttl: messages may expire"},
		{c.AllowRollup, "allow_rollup_hdrs: a message could replace a history"},
		{c.DenyDelete || c.DenyPurge, "deny_delete or deny_purge: erasure would not work"},
		{c.SubjectTransform != nil || c.Mirror != nil || len(c.Sources) > 0, "subjects are transformed, mirrored or sourced"},
		{c.MaxMsgSize > 0 && c.MaxMsgSize < 1<<20, "max_msg_size is below 1 MiB"},
		{len(c.Subjects) != 1 || c.Subjects[0] != fmt.Sprintf("evt.%d.>", p), "subjects differ"},
	} {
		if bad.is {
			return fmt.Errorf("stream %s has unsafe settings: %s", c.Name, bad.what)
		}
	}
	return nil
}

// Settings are the stream settings of a partition, for documentation and for operators who create streams beforehand.
func Settings(partition int, cfg Config) jetstream.StreamConfig {
	sc := streamConfig(partition, cfg)
	sc.Metadata = maps.Clone(sc.Metadata)
	return sc
}
