package customer

import (
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// Course is what became of an outbound message so far. Its steps are those of the
// message's ReplyRequested, ReplyRetried and ReplyProgressed, in their order: a state folds
// them as they come, a look-up folds those it has kept.
type Course struct {
	State     string    `json:"state"`            // queued or a channel.State
	Sent      bool      `json:"sent,omitempty"`   // it went out in some attempt
	SentAt    time.Time `json:"sent_at,omitzero"` // of the last that did, by the channel's clock
	SaidAt    time.Time `json:"said_at,omitzero"` // of the last progress, by the channel's clock
	Attempt   int       `json:"attempt"`
	RetriedAt time.Time `json:"retried_at,omitzero"` // later than what was said of the attempts before, whatever clocks say
	Before    string    `json:"before,omitempty"`    // state when it was retried
}

// Asked is the course of a message that was just asked for.
func Asked() Course { return Course{State: Queued, Attempt: 1} }

// Retried is the course after sending was asked for once more.
func (c Course) Retried(at time.Time) Course {
	c.Before, c.State, c.RetriedAt = c.State, Queued, at
	c.Attempt++
	if !c.SaidAt.Before(at) { // the channel's clock is ahead: what it said does not count again
		c.RetriedAt = c.SaidAt.Add(time.Microsecond)
	}
	return c
}

// Progressed is the course after the channel said something, at its own time.
func (c Course) Progressed(state string, at time.Time) Course {
	c.State, c.SaidAt, c.Sent = state, at, c.Sent || wentOut(state)
	if state == string(channel.StateSent) {
		c.SentAt = at
	}
	return c
}
