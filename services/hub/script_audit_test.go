package main

import (
	"bytes"
	"path/filepath"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// cmdTamper changes the audit log on disk while no hub runs, as who owns the
// machine can: by a server of his own, with a stream made anew.
//
//	tamper alter OLD NEW   in the first message that has OLD
//	tamper remove WORD     the messages that have WORD
//	tamper cut N           the last N messages
func cmdTamper(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) < 2 || args[0] == "alter" && len(args) != 3 || w.hub != nil {
		ts.Fatalf("usage: tamper alter OLD NEW | remove WORD | cut N, while no hub runs")
	}
	ctx, cancel := within()
	defer cancel()
	e, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: filepath.Join(ts.Getenv("DATA"), "nats")})
	ts.Check(err)
	defer e.Close()
	bus, err := e.Connect(ctx)
	ts.Check(err)
	defer bus.NC.Close()
	s, err := bus.JS.Stream(ctx, subject.StreamAudit)
	ts.Check(err)
	info := s.CachedInfo()
	var all []*jetstream.RawStreamMsg
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
		m, err := s.GetMsg(ctx, seq)
		ts.Check(err)
		all = append(all, m)
	}
	changed := tampered(ts, all, args)
	ts.Check(bus.JS.DeleteStream(ctx, subject.StreamAudit))
	_, err = bus.JS.CreateStream(ctx, info.Config)
	ts.Check(err)
	for _, m := range changed {
		_, err := bus.JS.Publish(ctx, m.Subject, m.Data)
		ts.Check(err)
	}
}

func tampered(ts *testscript.TestScript, all []*jetstream.RawStreamMsg, args []string) []*jetstream.RawStreamMsg {
	var out []*jetstream.RawStreamMsg
	switch args[0] {
	case "cut":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		return all[:len(all)-n]
	case "remove":
		for _, m := range all {
			if !bytes.Contains(m.Data, []byte(args[1])) {
				out = append(out, m)
			}
		}
		if len(out) == len(all) {
			ts.Fatalf("no message has %q", args[1])
		}
		return out
	case "alter":
		for _, m := range all {
			if bytes.Contains(m.Data, []byte(args[1])) {
				m.Data = bytes.Replace(m.Data, []byte(args[1]), []byte(args[2]), 1)
				return all
			}
		}
		ts.Fatalf("no message has %q", args[1])
	}
	ts.Fatalf("tamper: %q is not alter, remove or cut", args[0])
	return nil
}
