package natsbus

import (
	"log/slog"
	"strings"
	"testing"
)

func TestAStreamThatCannotBeWrittenIsNoticed(t *testing.T) {
	t.Parallel()
	e := &Embedded{broken: newBroken()}
	l := serverLog{slog.New(slog.DiscardHandler), e.broken}
	l.Errorf("something else")
	if err := e.WriteError(); err != nil {
		t.Fatal(err)
	}
	// As nats-server 2.15.2 words it; an upgrade must be compared with server/stream.go.
	l.Errorf("JetStream failed to store a msg on stream '%s > %s': %v", "$G", "IN-3", "no space left on device")
	l.Errorf("JetStream failed to store a msg on stream '%s > %s': %v", "$G", "IN-2", "no space left on device")
	select {
	case <-e.Broken():
	default:
		t.Fatal("not noticed")
	}
	if err := e.WriteError(); err == nil || !strings.Contains(err.Error(), "IN-3") {
		t.Fatalf("%v, want the first failure", err)
	}
}
