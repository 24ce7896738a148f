package console

import (
	"testing"

	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
)

// heard takes what a socket was told and returns whether the customer types, by conversation.
func heard(s *socketConn) map[string]bool {
	out := map[string]bool{}
	for len(s.queue) > 0 {
		p := (<-s.queue).GetPresence()
		out[p.GetConversationId()] = p.GetCustomerTyping()
	}
	return out
}

// TestACustomerTypesInAllHisConversations that are watched, whoever came last and whoever leaves.
func TestACustomerTypesInAllHisConversations(t *testing.T) {
	t.Parallel()
	p := newPresence("t", nil, nil)
	socket := func() *socketConn { return &socketConn{queue: make(chan *realtimev1.ServerFrame, 16)} }
	first, second := socket(), socket()
	types := func(on string) {
		heard(first)
		heard(second)
		p.customerTypes("h1", []byte(`{"typing":`+on+`}`))
	}
	p.watch(first, "c1", "h1")
	p.watch(second, "c2", "h1")
	types("true")
	if a, b := heard(first), heard(second); !a["c1"] || !b["c2"] {
		t.Errorf("he types: the first is told %v, the second %v", a, b)
	}
	types("false")
	if a, b := heard(first), heard(second); len(a) != 1 || a["c1"] || len(b) != 1 || b["c2"] {
		t.Errorf("he types no more: the first is told %v, the second %v", a, b)
	}
	p.unwatch(second, "c2")
	types("true")
	if a, b := heard(first), heard(second); !a["c1"] || len(b) != 0 {
		t.Errorf("the second left: the first is told %v, the second %v", a, b)
	}
	types("false")
	p.unwatch(first, "c1")
	if len(p.handles) != 0 {
		t.Errorf("nobody watches, and kept is %v", p.handles)
	}
}
