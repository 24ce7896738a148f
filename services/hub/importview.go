package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation"
)

// importView shows what an import says: a bar on a terminal, else a line now
// and then, and the report at its end.
type importView struct {
	out, err io.Writer
	json     bool
	bar      bool
	rest     []byte
	began    time.Time
	last     time.Time
	drawn    bool
}

func newImportView(out, err io.Writer, asJSON bool) *importView {
	return &importView{out: out, err: err, json: asJSON, bar: isTerminal(err), began: time.Now()}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Write takes what the task prints, in any pieces.
func (v *importView) Write(p []byte) (int, error) {
	v.rest = append(v.rest, p...)
	for {
		i := bytes.IndexByte(v.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		v.line(string(v.rest[:i]))
		v.rest = v.rest[i+1:]
	}
}

func (v *importView) line(s string) {
	if data, ok := strings.CutPrefix(s, importProgress); ok {
		var p conversation.ImportProgress
		if json.Unmarshal([]byte(data), &p) == nil {
			v.progress(p)
		}
		return
	}
	v.clear()
	data, ok := strings.CutPrefix(s, importReport)
	if !ok {
		fmt.Fprintln(v.out, s)
		return
	}
	if v.json {
		fmt.Fprintln(v.out, data)
		return
	}
	var r conversation.ImportReport
	if json.Unmarshal([]byte(data), &r) == nil {
		v.report(r)
	}
}

// phases as they are called before people.
var phases = map[string]string{"read": "reading", "own": "addresses", "write": "writing"}

// plainEvery is how often a line comes where there is no terminal.
const plainEvery = 5 * time.Second

func (v *importView) progress(p conversation.ImportProgress) {
	share := 0.0
	if p.Of > 0 {
		share = float64(p.Done) / float64(p.Of)
	}
	took := time.Since(v.began).Round(time.Second)
	if v.bar {
		const width = 30
		full := min(width, int(share*width))
		fmt.Fprintf(v.err, "\r\x1b[K%-10s [%s%s] %3.0f %%  %d of %d %s  %s", phases[p.Phase],
			strings.Repeat("#", full), strings.Repeat(".", width-full), 100*share, p.Done, p.Of, p.Unit, took)
		v.drawn = true
		return
	}
	if time.Since(v.last) < plainEvery && p.Done < p.Of {
		return
	}
	v.last = time.Now()
	fmt.Fprintf(v.err, "%s: %d of %d %s, %s\n", phases[p.Phase], p.Done, p.Of, p.Unit, took)
}

func (v *importView) clear() {
	if v.drawn {
		fmt.Fprint(v.err, "\r\x1b[K")
		v.drawn = false
	}
}

func (v *importView) report(r conversation.ImportReport) {
	for _, b := range r.Bad {
		fmt.Fprintln(v.err, b)
	}
	if more := r.BadLines - len(r.Bad); more > 0 {
		fmt.Fprintf(v.err, "… and %d more bad lines\n", more)
	}
	fmt.Fprintf(v.out, "%s: customers %d (%d of them are here already), conversations %d, messages %d, notes %d, events %d, links %d\n",
		r.Source, r.Customers, r.Joined, r.Conversations, r.Messages, r.Notes, r.Events, r.Links)
	if r.DryRun {
		fmt.Fprintln(v.out, "nothing was written: this was a dry run")
	} else {
		fmt.Fprintf(v.out, "written %d, here already %d, of erased persons %d; %d commits in %s\n",
			r.Written, r.Already, r.Erased, r.Commits, r.Took.Round(time.Millisecond))
	}
	v.unknown("not configured here, so shown but not answered: inbox", r.UnknownInboxes)
	v.unknown("nobody here, so named but not assigned: agent", r.UnknownAgents)
}

func (v *importView) unknown(what string, m map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(v.err, "%s %s (%d times)\n", what, name, m[name])
	}
}

// end takes the bar away; a bar is no line.
func (v *importView) end(err error) error {
	v.clear()
	return err
}
