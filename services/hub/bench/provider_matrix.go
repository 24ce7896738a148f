package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// homeserver is a Matrix homeserver's client-server API for one account, the
// hub's, and for customers who have a direct room with it.
type homeserver struct {
	*asked
	*httptest.Server
	rooms map[string]*directRoom
}

// directRoom is one customer's. Events are numbered by what happened on the whole homeserver.
type directRoom struct {
	id, customer    string
	invited, joined int // when; 0: not yet
	events          []roomEvent
}

type roomEvent struct {
	pos  int
	json map[string]any
}

const (
	matrixServer  = "matrix.bench.test"
	matrixAccount = "@shop:" + matrixServer
	matrixToken   = "syt_bench_token_of_nobody"
)

func openHomeserver() *homeserver {
	h := &homeserver{asked: newAsked(), rooms: map[string]*directRoom{}}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	return h
}

func (h *homeserver) source() source {
	return source{
		name: "matrix", inbox: inboxYAML("matrix", "matrix", "homeserver", h.URL, "access_token", matrixToken),
		ready: h.ready, write: h.write, acknowledged: h.acknowledged, asked: h.answered,
	}
}

func roomOf(sender int) string { return fmt.Sprintf("!room%d:%s", sender, matrixServer) }

// ready invites the hub to a direct room of each customer, and waits until it is in all of them and knows that.
func (h *homeserver) ready(ctx context.Context, from, senders int) error {
	if err := h.until(ctx, "asks the homeserver for news", func() bool { return h.requests > 0 && h.seen >= h.last }); err != nil {
		return err
	}
	h.change(func() {
		for sender := from; sender < from+senders; sender++ {
			r := &directRoom{id: roomOf(sender), customer: fmt.Sprintf("@customer%d:%s", sender, matrixServer)}
			h.rooms[r.id] = r
			h.member(r, r.customer, r.customer, "join", "")
			h.member(r, r.customer, matrixAccount, "invite", "")
			r.invited = h.last
		}
	})
	return h.until(ctx, "has joined all rooms", func() bool {
		for sender := from; sender < from+senders; sender++ {
			if h.rooms[roomOf(sender)].joined == 0 {
				return false
			}
		}
		return h.seen >= h.last
	})
}

// write lets everybody say something, then everybody the next thing. The
// homeserver takes it all, and the hub gets it with the next sync.
func (h *homeserver) write(_ context.Context, _ *child, from, senders int) error {
	h.change(func() {
		for n := range eachSays {
			for sender := from; sender < from+senders; sender++ {
				r := h.rooms[roomOf(sender)]
				h.add(r, "m.room.message", r.customer, map[string]any{"msgtype": "m.text", "body": text(sender, n)})
			}
		}
	})
	return nil
}
