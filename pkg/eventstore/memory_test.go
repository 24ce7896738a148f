package eventstore_test

import (
	"errors"
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, func(*testing.T) eventstoretest.Opened {
		m := eventstore.NewMemory(3)
		return eventstoretest.Opened{Store: m, Snapshots: m}
	})
}

func TestMemoryHookLosesTheAnswerOrTheCommit(t *testing.T) {
	t.Parallel()
	m := eventstore.NewMemory(1)
	a := eventstoretest.Make("customer.c1", "a", 0)
	crash := errors.New("crash")
	at := eventstore.BeforeAppend
	m.SetHook(func(op eventstore.Op, _, _ string) error {
		if op == at {
			return crash
		}
		return nil
	})
	if r := m.Append(t.Context(), a)[0]; !errors.Is(r.Err, crash) {
		t.Errorf("crash before = %+v", r)
	}
	if h, _ := m.Head(t.Context(), 0); h != 0 {
		t.Errorf("crash before the append stored %d", h)
	}
	at = eventstore.AfterAppend
	if r := m.Append(t.Context(), a)[0]; !errors.Is(r.Err, crash) {
		t.Errorf("crash after = %+v", r)
	}
	m.SetHook(nil)
	if r := m.Append(t.Context(), a)[0]; r.Err != nil || !r.Duplicate || r.Seq != 1 {
		t.Errorf("repeat = %+v, want Duplicate at 1", r)
	}
}
