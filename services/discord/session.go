package discord

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

// introduce goes on with the session, or begins one.
func (f *follower) introduce(l *link) error {
	if f.at.Session != "" {
		return l.say(opResume, map[string]any{"token": f.c.token, "session_id": f.at.Session, "seq": f.at.Seq})
	}
	f.taken.Store(0)
	return l.say(opIdentify, map[string]any{
		"token": f.c.token, "intents": intents, "properties": map[string]string{"os": "linux", "browser": "weftline", "device": "weftline"},
	})
}

// work takes in what comes until the connection is over, and catches up while nothing does.
func (f *follower) work(ctx context.Context, l *link) error {
	for {
		var idle <-chan time.Time
		var alarm *time.Timer
		if len(f.late) > 0 && len(l.events) == 0 {
			alarm = time.NewTimer(max(time.Until(f.lateAt), 0))
			idle = alarm.C
		}
		select {
		case e, ok := <-l.events:
			if !ok {
				return l.err()
			}
			if err := f.take(ctx, waiting(e, l.events)); err != nil {
				return err
			}
		case <-idle:
			f.catchUpNext(ctx)
		}
		if alarm != nil {
			alarm.Stop()
		}
	}
}

// waiting is an event and what waits behind it.
func waiting(e frame, events <-chan frame) []frame {
	const most = 100
	all := []frame{e}
	for len(all) < most {
		select {
		case e, ok := <-events:
			if !ok {
				return all
			}
			all = append(all, e)
		default:
			return all
		}
	}
	return all
}

// take makes what came durable, in order, however long that takes; then the sequence is kept.
func (f *follower) take(ctx context.Context, frames []frame) error {
	for len(frames) > 0 {
		n := 1
		var do func() error
		switch frames[0].Name {
		case "READY":
			next, err := f.session(frames[0])
			if err != nil {
				return err
			}
			do = func() error { return f.begun(ctx, next) }
		case "RESUMED":
			do = func() error { return f.resumed(ctx) }
		default:
			for n < len(frames) && frames[n].Name != "READY" && frames[n].Name != "RESUMED" {
				n++
			}
			do = func() error { return f.keep(ctx, frames[:n]) }
		}
		if !hosted.Insist(ctx, f.trouble, do) {
			return ctx.Err()
		}
		f.at.Seq = f.reached(frames[:n])
		f.taken.Store(f.at.Seq)
		if f.ill && f.ready {
			f.well()
		}
		frames = frames[n:]
	}
	return nil
}

// reached is the sequence behind frames. Within a session it only grows: who says one
// that is behind, or none, moves nothing.
func (f *follower) reached(frames []frame) int64 {
	if frames[0].Name == "READY" {
		return frames[0].Seq
	}
	at := f.at.Seq
	for _, e := range frames {
		at = max(at, e.Seq)
	}
	return at
}

// session reads READY.
func (f *follower) session(e frame) (cursor, error) {
	var ready struct {
		Session string `json:"session_id"`
		Resume  string `json:"resume_gateway_url"`
	}
	if err := json.Unmarshal(e.Data, &ready); err != nil || ready.Session == "" {
		return cursor{}, errors.New("the gateway names no session")
	}
	next := cursor{Session: ready.Session, Seq: e.Seq, Resume: ready.Resume, Began: f.at.Began, Gap: f.at.Gap + 1}
	if next.Began == "" {
		next.Began = strconv.FormatInt(snowflake(f.a.now().Add(-time.Minute)), 10) // their clock may be behind
	}
	return next, nil
}

// begun keeps that a session has begun: nobody has told what was said since the one before.
func (f *follower) begun(ctx context.Context, next cursor) error {
	if err := f.a.kept.Save(ctx, hosted.Put(colCursors, f.key(), next)); err != nil {
		return err
	}
	f.at = next
	return f.resumed(ctx)
}

// resumed says that all is well, and finds out what is to be caught up.
func (f *follower) resumed(ctx context.Context) (err error) {
	if f.late, err = f.behind(ctx); err != nil {
		return err
	}
	clear(f.stuck)
	f.ready = true
	f.well()
	return nil
}

// well says that all is well, and of what nothing is taken.
func (f *follower) well() {
	f.ill = false
	f.outage.Well()
	f.a.setDeaf(f.id, false)
	f.a.note(f.id, "ok", f.aside)
}
