package jetstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/services/internal/jetstore"
)

// lossy loses messages on their way to a real server, or its answers.
type lossy struct {
	jetstream.JetStream
	loseMessages, loseAnswers atomic.Int64 // how many of the next ones
}

func (l *lossy) PublishMsg(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if l.loseMessages.Add(-1) >= 0 {
		return nil, nats.ErrTimeout
	}
	ack, err := l.JetStream.PublishMsg(ctx, m, opts...)
	if l.loseAnswers.Add(-1) >= 0 {
		return nil, nats.ErrTimeout
	}
	return ack, err
}

func TestLostAnswerIsFoundOut(t *testing.T) {
	t.Parallel()
	js := &lossy{JetStream: startServer(t, t.TempDir()).js}
	s := open(t, js, jetstore.Config{Partitions: 2})

	js.loseAnswers.Store(1)
	first := s.Append(timeout(t), eventstoretest.Make("customer.c1", "a", 0))[0]
	if first.Err != nil || first.Seq == 0 {
		t.Fatalf("Append with a lost answer = %+v, want its place", first)
	}
	js.loseMessages.Store(2)
	second := s.Append(timeout(t), eventstoretest.Make("customer.c1", "b", first.Seq))[0]
	if second.Err != nil || second.Seq <= first.Seq {
		t.Fatalf("Append with lost messages = %+v, want it sent again", second)
	}
	js.loseMessages.Store(1000)
	third := eventstoretest.Make("customer.c1", "c", second.Seq)
	if r := s.Append(timeout(t), third)[0]; !errors.Is(r.Err, eventstore.ErrUnknown) {
		t.Errorf("Append without any answer = %+v, want ErrUnknown", r)
	}
	js.loseMessages.Store(0)
	if r := s.Append(timeout(t), third)[0]; r.Err != nil || r.Duplicate {
		t.Errorf("repeat = %+v, want it stored now", r)
	}
	js.loseAnswers.Store(1)
	if r := s.Append(timeout(t), eventstoretest.Make("customer.c1", "d", first.Seq))[0]; !errors.As(r.Err, new(*eventstore.ConflictError)) &&
		!errors.Is(r.Err, eventstore.ErrUnknown) {
		t.Errorf("stale append with a lost answer = %+v, want a conflict", r)
	}
}

func TestAppendToAServerThatIsGoneIsUnknown(t *testing.T) {
	t.Parallel()
	srv := startServer(t, t.TempDir())
	s, err := jetstore.Open(timeout(t), srv.js, jetstore.Config{Partitions: 2})
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	srv.srv.Shutdown()
	srv.srv.WaitForShutdown()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r := s.Append(ctx, eventstoretest.Make("customer.c1", "a", 0))[0]
	if !errors.Is(r.Err, eventstore.ErrUnknown) {
		t.Errorf("Append = %+v, want ErrUnknown", r)
	}
	srv.js.Conn().Close()
	r = s.Append(t.Context(), eventstoretest.Make("customer.c1", "a", 0))[0]
	if !errors.Is(r.Err, eventstore.ErrUnknown) || !errors.Is(r.Err, nats.ErrConnectionClosed) {
		t.Errorf("Append on a closed connection = %+v, want ErrUnknown and why", r)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// Streams may have direct get switched off; reading is slower then, not wrong.
func TestStoreWithoutDirectGet(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, func(t *testing.T) eventstoretest.Opened {
		js := startServer(t, t.TempDir()).js
		cfg := jetstore.Config{Partitions: 2, Replicas: 1}
		for p := range 2 {
			sc := jetstore.Settings(p, cfg)
			sc.AllowDirect = false
			sc.Metadata["weftline.complete"] = "true"
			if _, err := js.CreateStream(timeout(t), sc); err != nil {
				t.Fatalf("CreateStream = %v", err)
			}
		}
		s := open(t, js, cfg)
		return eventstoretest.Opened{Store: s, Snapshots: s}
	})
}

func TestCheckServerKnowsTheHoles(t *testing.T) {
	t.Parallel()
	for version, ok := range map[string]bool{
		server.VERSION: true, "2.14.0-beta.1": true, "2.12.6": true, "2.12.7": true, "v2.11.15": true, "2.11.16": true, "3.0.0": true,
		"2.12.5": false, "2.12.0": false, "2.11.14": false, "2.10.99": false, "1.4.1": false, "": false, "2.12": false, "a.b.c": false,
	} {
		if err := jetstore.CheckServer(version); (err == nil) != ok {
			t.Errorf("CheckServer(%q) = %v, want ok %v", version, err, ok)
		}
	}
}

func TestCheckVarzSeesWhenTheServerSyncs(t *testing.T) {
	t.Parallel()
	varz := func(options ...func(*server.Options)) []byte {
		v, err := startServer(t, t.TempDir(), options...).srv.Varz(nil)
		if err != nil {
			t.Fatalf("Varz = %v", err)
		}
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("marshal: %v", err)
		}
		return body
	}
	if err := jetstore.CheckVarz(varz()); err != nil {
		t.Errorf("CheckVarz of a synced server = %v", err)
	}
	for want, body := range map[string][]byte{
		"fsync":        varz(func(o *server.Options) { o.SyncAlways = false }),
		"no JetStream": []byte(`{"version":"2.15.2","jetstream":{}}`),
		"lose":         []byte(`{"version":"2.12.0"}`),
		"read varz":    []byte(`{`),
	} {
		if err := jetstore.CheckVarz(body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckVarz = %v, want a refusal that says %q", err, want)
		}
	}
}
