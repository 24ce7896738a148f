package chat

import "time"

// Timing of a connection. Zero fields take the default in brackets.
type Timing struct {
	Ping    time.Duration // between heartbeats (20 s)
	Silence time.Duration // without any sign of life: 4009 (50 s)
	Hello   time.Duration // until the first frame (10 s)
	Write   time.Duration // for one frame (10 s)
	Close   time.Duration // to say good-bye (1 s)
	Settle  time.Duration // after something live, before the transcript is read again (1.5 s)
	List    time.Duration // for one read of the transcript (5 s)
	Drain   time.Duration // for all sessions to end (5 s)
	Follow  time.Duration // between looks for answers that nobody has read (5 s)
	// Spread is the longest retry_after_ms at a drain (10 s).
	Spread time.Duration
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&t.Ping, 20*time.Second)
	set(&t.Silence, 50*time.Second)
	set(&t.Hello, 10*time.Second)
	set(&t.Write, 10*time.Second)
	set(&t.Close, time.Second)
	set(&t.Settle, 1500*time.Millisecond)
	set(&t.List, 5*time.Second)
	set(&t.Drain, 5*time.Second)
	set(&t.Follow, 5*time.Second)
	set(&t.Spread, 10*time.Second)
	return t
}
