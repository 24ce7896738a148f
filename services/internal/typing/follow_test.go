package typing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
	"github.com/weftline/weftline/services/internal/typing"
)

type typist chan string

func (t typist) Typing(_ context.Context, inbox string, to channel.Address, on bool) error {
	t <- fmt.Sprint(inbox, " ", to.Kind, " ", to.Address, " ", on)
	if to.Address == "gone" {
		return errors.New("blocked")
	}
	return nil
}

// TestSignalsReachTheTypist: over NATS, sealed, for inboxes that work, and what fails is counted.
func TestSignalsReachTheTypist(t *testing.T) {
	t.Parallel()
	bus, keys := natsbustest.New(t), crypt.NewDeterministic("typing")
	metrics := prometheus.NewRegistry()
	calls := make(typist, 10)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	wire, err := bus.NC.SubscribeSync("live.default.typing.>")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		done <- typing.Follow(ctx, typing.Deps{
			NC: bus.NC, Keys: keys, Tenant: "default", Typist: calls, Metrics: metrics,
			Works: func(id string) bool { return id == "bot" },
		}, "telegram")
	}()
	publish := func(inbox, address string, on bool) {
		t.Helper()
		s := typing.Signal{To: channel.Address{Kind: "telegram", Address: address}, On: on}
		if err := typing.Publish(t.Context(), bus.NC, keys, "default", "telegram", inbox, s); err != nil {
			t.Fatal(err)
		}
	}
	// The first may be lost while nobody listens.
	first := ""
	for first == "" {
		publish("bot", "700001", true)
		select {
		case first = <-calls:
		case <-time.After(20 * time.Millisecond):
		}
	}
	if first != "bot telegram 700001 true" {
		t.Errorf("call %q", first)
	}
	publish("paused", "700002", true)
	if err := bus.NC.Publish("live.default.typing.reply.telegram.bot", []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	publish("bot", "700001", false)
	publish("bot", "gone", true)
	rest := []string{<-calls, <-calls} // of two customers: in any order
	slices.Sort(rest)
	if want := []string{"bot telegram 700001 false", "bot telegram gone true"}; !slices.Equal(rest, want) {
		t.Errorf("calls %q, want %q", rest, want)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	counted := testutil.CollectAndCount(metrics, "weftline_typing_total")
	if len(calls) != 0 || counted != 4 {
		t.Errorf("%d more calls, %d results are counted, want shown, ended, failed, dropped", len(calls), counted)
	}
	m, err := wire.NextMsg(time.Second)
	if err != nil || len(m.Data) == 0 {
		t.Fatalf("the wire: %v", err)
	}
	if bytes.Contains(m.Data, []byte("700001")) {
		t.Error("the address is on the wire in clear")
	}
}
