package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/weftline/weftline/services/chat"
)

func TestTyping(t *testing.T) {
	t.Parallel()
	ns, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("no server")
	}
	connect := func() *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(ns))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	w := start(t, nil, func(d *chat.Deps) { d.NC = connect() })
	agent := connect()
	heard, err := agent.SubscribeSync("live.default.typing.in.*")
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Flush(); err != nil {
		t.Fatal(err)
	}
	v := w.visit(frame{})
	v.await("welcome")
	for range 5 {
		v.send(frame{"type": "typing", "typing": true})
	}
	v.send(frame{"type": "typing", "typing": false})
	var got []string
	handle := ""
	for range 2 {
		m, err := heard.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		got, handle = append(got, string(m.Data)), strings.TrimPrefix(m.Subject, "live.default.typing.in.")
	}
	if strings.Join(got, " ") != `{"typing":true} {"typing":false}` {
		t.Errorf("agents heard %v", got)
	}
	for subject, data := range map[string]string{
		"live.default.typing.out.somebodyelse": `{"typing":true,"name":"Not for you"}`,
		"live.default.typing.out." + handle:    `{"typing":true,"name":"Grace","note":"internal"}`,
	} {
		if err := agent.Publish(subject, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	f := v.await("typing")
	if f.str("name") != "Grace" || f["typing"] != true || len(f) != 3 {
		t.Errorf("visitor sees %v", f)
	}
}
