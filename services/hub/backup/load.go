package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// streams fills the data directory's JetStream, and opens it once more as a hub
// would to see that everything is there.
func (r *restorer) streams(ctx context.Context) error {
	dir := filepath.Join(r.to, "nats")
	if err := r.load(ctx, dir); err != nil {
		return err
	}
	// The server that loaded did not sync each message.
	if err := syncTree(dir, true); err != nil {
		return err
	}
	return r.settle(ctx, dir)
}

// load sends the archives to a server of its own, which nobody else can reach
// and which leaves syncing to the end: with a sync for each message ten million
// of them would take an hour, and after a crash a restore begins anew anyway.
func (r *restorer) load(ctx context.Context, dir string) error {
	s, err := server.NewServer(&server.Options{
		ServerName: "weftline-restore", JetStream: true, StoreDir: dir, JetStreamMaxStore: 1 << 50,
		SyncInterval: time.Hour, DontListen: true, NoSigs: true,
	})
	if err != nil {
		return fmt.Errorf("create nats server: %w", err)
	}
	s.Start()
	defer func() {
		s.Shutdown()
		s.WaitForShutdown()
	}()
	if !s.ReadyForConnections(30*time.Second) || !s.JetStreamEnabled() {
		return errors.New("nats server was not ready within 30s")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return fmt.Errorf("connect to nats: %w", err)
	}
	defer nc.Close()
	// One after the other: nats-server 2.15.2 walks its map of streams without the
	// lock while a restore begins (jsAccount.tieredReservation), so that two at
	// once may end the process with "concurrent map iteration and map write".
	for _, st := range r.m.Streams {
		if err := r.loadStream(ctx, nc, st); err != nil {
			return fmt.Errorf("%s: stream %s: %w", st.File, st.Name, err)
		}
	}
	return nil
}

func (r *restorer) loadStream(ctx context.Context, nc *nats.Conn, st Stream) error {
	config, err := single(st.Config)
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(r.from, filepath.FromSlash(st.File)))
	if err != nil {
		return err
	}
	defer f.Close()
	return restoreStream(ctx, nc, st.Name, config, st.State, f)
}

// single makes the settings those of one server: a copy of a cluster's stream
// asks for replicas and places that are not there.
func single(config json.RawMessage) (json.RawMessage, error) {
	var c map[string]json.RawMessage
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, fmt.Errorf("read its settings: %w", err)
	}
	c["num_replicas"] = json.RawMessage("1")
	delete(c, "placement")
	return json.Marshal(c)
}

// settle checks what was loaded and uses up the sequences that commits may name.
func (r *restorer) settle(ctx context.Context, dir string) error {
	e, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: dir, MaxStore: 1 << 50})
	if err != nil {
		return err
	}
	defer e.Close()
	bus, err := e.Connect(ctx)
	if err != nil {
		return err
	}
	defer bus.NC.Close()
	for _, st := range r.m.Streams {
		s, err := bus.JS.Stream(ctx, st.Name)
		if err != nil {
			return fmt.Errorf("stream %s: %w", st.Name, err)
		}
		at := s.CachedInfo().State
		// Timers that came due have gone off meanwhile. Of other streams nothing is added.
		if at.LastSeq != st.Last && !(st.Name == subject.StreamTimers && at.LastSeq > st.Last) {
			return fmt.Errorf("%s: stream %s ends at %d after its restore, at %d in the backup", st.File, st.Name, at.LastSeq, st.Last)
		}
		if isIn(st.Name) {
			if err := useUp(ctx, bus.JS, s, at.LastSeq, st.Reserve); err != nil {
				return fmt.Errorf("stream %s: use up sequences %d to %d: %w", st.Name, at.LastSeq+1, st.Reserve, err)
			}
		}
		fmt.Fprintf(r.out, "%-12s %d messages, up to %d, %d consumers\n", st.Name, at.Msgs, at.LastSeq, at.Consumers)
	}
	return bus.Close(ctx)
}

// useUp makes the stream's next sequence greater than to. Deleted sequences are
// a gap, as they are after an erasure.
func useUp(ctx context.Context, js jetstream.JetStream, s jetstream.Stream, last, to uint64) error {
	if last >= to {
		return nil
	}
	p, err := strconv.Atoi(strings.TrimPrefix(s.CachedInfo().Config.Name, "IN-"))
	if err != nil {
		return err
	}
	first := last + 1
	for ; last < to; last++ {
		if _, err := js.Publish(ctx, subject.In(p, subject.DefaultTenant, "restore", "gap", "gap"), nil); err != nil {
			return err
		}
	}
	for seq := first; seq <= to; seq++ {
		if err := s.DeleteMsg(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}
