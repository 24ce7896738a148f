package console

import (
	"context"
	"sync"
)

// sockets are those open now, for draining and for ending an agent's.
type sockets struct {
	mu  sync.Mutex
	all map[*socketConn]struct{}
}

func newSockets() *sockets { return &sockets{all: map[*socketConn]struct{}{}} }

func (x *sockets) add(s *socketConn)    { x.mu.Lock(); defer x.mu.Unlock(); x.all[s] = struct{}{} }
func (x *sockets) remove(s *socketConn) { x.mu.Lock(); defer x.mu.Unlock(); delete(x.all, s) }

// admit finds the agent whom a session (its digest) lets have a socket, now and still.
func (c *Console) admit(ctx context.Context, session string) (agentDoc, error) {
	id, err := c.sessions.byDigest(ctx, session)
	if err != nil {
		return agentDoc{}, &closeError{closeAuth, "logged out"}
	}
	a, err := c.agents.get(ctx, id)
	if err != nil || a.Disabled {
		return agentDoc{}, &closeError{closeAuth, "agent is disabled"}
	}
	return a, nil
}

// close ends an agent's, but those that live by one session (its digest; "": none).
func (x *sockets) close(agent, but string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for s := range x.all {
		if s.agent.ID == agent && (but == "" || s.session != but) {
			s.stop(&closeError{closeAuth, "logged out"})
		}
	}
}

// drain asks every browser to come back later, spread over a second or two by their own jitter.
func (x *sockets) drain() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for s := range x.all {
		s.stop(&closeError{closeDraining, "the hub restarts"})
	}
}
