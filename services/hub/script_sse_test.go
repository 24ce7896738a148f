package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdSSE reads the public event stream from the first event, or from behind
// the last one an earlier sse of the story has seen:
//
//	sse @NAME FILE      waits until the types of the events, one a line, read like FILE
//	! sse @NAME STATUS  it is refused so
//	[!] sse-frames TEXT some event so far holds TEXT
func cmdSSE(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	c, args := w.caller(ts, args)
	if len(args) != 1 {
		ts.Fatalf("usage: [!] sse @NAME FILE|STATUS")
	}
	ctx, cancel := within()
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/v1/events", nil)
	ts.Check(err)
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if id := ts.Getenv("LAST_EVENT_ID"); id != "" {
		req.Header.Set("Last-Event-ID", id)
	}
	res, err := c.HTTP.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	if neg {
		if !strings.HasPrefix(res.Status, args[0]) {
			ts.Fatalf("sse: %s, wanted %s", res.Status, args[0])
		}
		return
	}
	want := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	have := w.readEvents(ctx, ts, bufio.NewScanner(res.Body), len(want))
	if !slices.Equal(have, want) {
		w.fail(ts, "events:\n%s\nwanted:\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

// readEvents reads n events and remembers where it was.
func (w *world) readEvents(ctx context.Context, ts *testscript.TestScript, lines *bufio.Scanner, n int) (types []string) {
	lines.Buffer(nil, 1<<20)
	for len(types) < n && ctx.Err() == nil && lines.Scan() {
		line := lines.Text()
		if id, ok := strings.CutPrefix(line, "id:"); ok {
			ts.Setenv("LAST_EVENT_ID", strings.TrimSpace(id))
		}
		data, ok := strings.CutPrefix(line, "data:")
		if !ok {
			continue
		}
		w.frames = append(w.frames, data)
		var e struct {
			Type string `json:"type"`
		}
		ts.Check(json.Unmarshal([]byte(data), &e))
		types = append(types, strings.TrimPrefix(e.Type, "weftline.event.v1."))
	}
	// The event's own id may stand behind its data.
	for len(types) == n && ctx.Err() == nil && lines.Scan() && lines.Text() != "" {
		if id, ok := strings.CutPrefix(lines.Text(), "id:"); ok {
			ts.Setenv("LAST_EVENT_ID", strings.TrimSpace(id))
		}
	}
	return types
}

func cmdSSEFrames(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if strings.Contains(strings.Join(w.frames, "\n"), strings.Join(args, " ")) == neg {
		ts.Fatalf("%q in the events: %v", args, !neg)
	}
}
