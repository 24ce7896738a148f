package replay_test

import (
	"bytes"
	"strings"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/replay"
)

func order(key, conversation string) command.Order {
	return command.Order{Actor: "ag1", Key: key, Conversation: conversation}
}

// raw appends events as another part of the hub would.
func (r *rig) raw(stream, id string, events ...event.Event) {
	r.t.Helper()
	records, err := codec.Encode(events)
	if err != nil {
		r.t.Fatal(err)
	}
	var seq uint64
	for c, err := range r.Store.Load(r.t.Context(), "default", stream, 0) {
		if err != nil {
			r.t.Fatal(err)
		}
		seq = c.Seq
	}
	res := r.Store.Append(r.t.Context(), eventstore.Append{
		Tenant: "default", Stream: stream, Expect: seq,
		Commit: eventstore.Commit{ID: id, RecordedAt: r.Clock, Records: records},
	})
	if res[0].Err != nil {
		r.t.Fatal(res[0].Err)
	}
	r.CatchUp()
}

// setupSource imports under another source's name.
func setupSource(r *rig, source string) func(lines ...string) replay.Report {
	return func(lines ...string) replay.Report {
		r.t.Helper()
		file := `{"weftline_import":1,"source":"` + source + `"}` + "\n" + strings.Join(lines, "\n")
		rep, err := r.im.Run(r.t.Context(), replay.Config{}, bytes.NewReader([]byte(file)), int64(len(file)))
		if err != nil {
			r.t.Fatal(err)
		}
		return rep
	}
}
