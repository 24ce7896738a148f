// Package smpptest plays an SMSC on 127.0.0.1 for tests. It is ours and knows of
// SMPP 3.4 what the tests need; real ones are in the tests with the build tag rig.
package smpptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/weftline/weftline/services/sms/smpp"
)

// Login that the FakeSMSC takes; messages go to whoever used it. Another system
// id is another account, with the same password.
var Login = smpp.Login{SystemID: "foo", Password: "bar"}

// Verdict is what the FakeSMSC does with a submit_sm. The zero value: it takes it and makes up an id.
type Verdict struct {
	Status smpp.Status
	ID     string
	Silent bool            // no answer
	Hangup bool            // no answer, and the connection ends
	Wait   <-chan struct{} // the answer waits for it
	Before func()          // called before the answer is written
}

// FakeSMSC is an SMSC. Safe for concurrent use.
type FakeSMSC struct {
	net.Listener
	t testing.TB

	mu       sync.Mutex
	judge    func(n int, m smpp.Message) Verdict
	sent     []smpp.Message
	enquired int
	deaf     bool // answers no enquire_link
	refuse   smpp.Status
	conns    map[*conn]bool
	changed  chan struct{}
	most     int // submits at the same time
	now      int
	wg       sync.WaitGroup
}

type conn struct {
	net.Conn
	bind    smpp.Command
	account string
	writing sync.Mutex
	mu      sync.Mutex
	seq     uint32
	waiting map[uint32]chan smpp.PDU
	gone    chan struct{}
}

// Start starts one over a listener; nil: on a port of its own. It stops with t.
func Start(t testing.TB, l net.Listener) *FakeSMSC {
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	f := &FakeSMSC{Listener: l, t: t, conns: map[*conn]bool{}, changed: make(chan struct{})}
	f.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.wg.Go(func() { f.serve(&conn{Conn: c, waiting: map[uint32]chan smpp.PDU{}, gone: make(chan struct{})}) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		f.Kick()
		f.wg.Wait()
	})
	return f
}

// Judge decides about every submit_sm from now on; n counts from 1.
func (f *FakeSMSC) Judge(fn func(n int, m smpp.Message) Verdict) { f.change(func() { f.judge = fn }) }

// Refuse answers every bind so; smpp.OK: it lets in again.
func (f *FakeSMSC) Refuse(s smpp.Status) { f.change(func() { f.refuse = s }) }

// Deaf makes it answer no enquire_link.
func (f *FakeSMSC) Deaf(on bool) { f.change(func() { f.deaf = on }) }

// Sent are the messages submitted, whatever became of them.
func (f *FakeSMSC) Sent() []smpp.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]smpp.Message(nil), f.sent...)
}

// Most is how many submit_sm were without an answer at the same time.
func (f *FakeSMSC) Most() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

// Enquired counts the enquire_link that came.
func (f *FakeSMSC) Enquired() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.enquired
}

// Bound counts connections that are bound.
func (f *FakeSMSC) Bound() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.conns)
}

// Until waits until ok, asked whenever something has changed.
func (f *FakeSMSC) Until(ctx context.Context, ok func() bool) error {
	for {
		f.mu.Lock()
		changed := f.changed
		f.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *FakeSMSC) change(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
	close(f.changed)
	f.changed = make(chan struct{})
}

// Kick breaks all connections.
func (f *FakeSMSC) Kick() {
	for _, c := range f.bound(0) {
		c.Close()
	}
}

// Unbind asks all clients to go.
func (f *FakeSMSC) Unbind(ctx context.Context) error {
	for _, c := range f.bound(0) {
		if _, err := c.ask(ctx, smpp.Unbind, nil); err != nil {
			return err
		}
	}
	return nil
}

// Ask sends any request to a client that receives, and waits for the answer. A
// client that hangs up meanwhile is asked again when it is back, as SMSCs do.
func (f *FakeSMSC) Ask(ctx context.Context, command smpp.Command, body []byte) (smpp.PDU, error) {
	for {
		var list []*conn
		if err := f.Until(ctx, func() bool {
			list = slices.DeleteFunc(f.bound(smpp.BindTransmitter), func(c *conn) bool { return c.account != Login.SystemID })
			return len(list) > 0
		}); err != nil {
			return smpp.PDU{}, err
		}
		p, err := list[0].ask(ctx, command, body)
		if !errors.Is(err, errGone) {
			return p, err
		}
		f.change(func() { delete(f.conns, list[0]) })
	}
}

// Deliver hands a message to a client and returns nil when it is taken.
func (f *FakeSMSC) Deliver(ctx context.Context, m smpp.Message) error {
	body, err := m.Encode()
	if err != nil {
		return err
	}
	p, err := f.Ask(ctx, smpp.DeliverSM, body)
	if err == nil && p.Status != smpp.OK {
		err = &smpp.StatusError{Command: smpp.DeliverSM, Status: p.Status}
	}
	return err
}

// bound are the connections, but those bound so.
func (f *FakeSMSC) bound(except smpp.Command) (list []*conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		if c.bind != except {
			list = append(list, c)
		}
	}
	return list
}

func (f *FakeSMSC) serve(c *conn) {
	defer func() {
		c.Close()
		close(c.gone)
		f.change(func() { delete(f.conns, c) })
	}()
	for {
		p, err := smpp.Read(c)
		if err != nil {
			return
		}
		if p.Command.IsResponse() {
			c.mu.Lock()
			if w := c.waiting[p.Seq]; w != nil {
				w <- p
			}
			c.mu.Unlock()
			continue
		}
		if !f.answer(c, p) {
			return
		}
	}
}

func (f *FakeSMSC) answer(c *conn, p smpp.PDU) bool {
	reply := smpp.PDU{Command: p.Command.Response(), Seq: p.Seq}
	switch p.Command {
	case smpp.BindReceiver, smpp.BindTransmitter, smpp.BindTransceiver:
		login, err := smpp.DecodeLogin(p.Body)
		f.mu.Lock()
		reply.Status = f.refuse
		f.mu.Unlock()
		if reply.Status == smpp.OK && (err != nil || login.SystemID == "" || login.Password != Login.Password) {
			reply.Status = smpp.BadPassword
		}
		reply.Body = []byte("SIM\x00")
		c.bind, c.account = p.Command, login.SystemID
		c.write(reply)
		if reply.Status == smpp.OK {
			f.change(func() { f.conns[c] = true })
		}
	case smpp.EnquireLink:
		f.change(func() { f.enquired++ })
		f.mu.Lock()
		deaf := f.deaf
		f.mu.Unlock()
		if !deaf {
			c.write(reply)
		}
	case smpp.Unbind:
		c.write(reply)
		return false
	case smpp.SubmitSM:
		return f.submit(c, p, reply)
	default:
		c.write(smpp.PDU{Command: smpp.GenericNack, Status: smpp.InvalidCmd, Seq: p.Seq})
	}
	return true
}

func (f *FakeSMSC) submit(c *conn, p, reply smpp.PDU) bool {
	m, err := smpp.Decode(p.Body)
	if err != nil {
		f.t.Errorf("submit_sm: %v", err)
	}
	var v Verdict
	f.change(func() {
		f.sent = append(f.sent, m)
		v.ID = fmt.Sprintf("sim%d", len(f.sent))
		if f.judge != nil {
			w := f.judge(len(f.sent), m)
			if w.ID == "" {
				w.ID = v.ID
			}
			v = w
		}
		f.now++
		f.most = max(f.most, f.now)
	})
	finish := func() {
		if v.Wait != nil {
			<-v.Wait
		}
		f.change(func() { f.now-- })
		if v.Before != nil {
			v.Before()
		}
		if reply.Status = v.Status; v.Status == smpp.OK {
			reply.Body = append([]byte(v.ID), 0)
		}
		if !v.Silent {
			c.write(reply)
		}
	}
	switch {
	case v.Hangup:
		f.change(func() { f.now-- })
		return false
	case v.Wait != nil || v.Before != nil:
		f.wg.Go(finish)
	default:
		finish()
	}
	return true
}

func (c *conn) write(p smpp.PDU) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, _ = c.Write(p.Bytes())
}

var errGone = errors.New("the client has hung up")

func (c *conn) ask(ctx context.Context, command smpp.Command, body []byte) (smpp.PDU, error) {
	answer := make(chan smpp.PDU, 1)
	c.mu.Lock()
	c.seq++
	seq := c.seq
	c.waiting[seq] = answer
	c.mu.Unlock()
	c.writing.Lock()
	_, err := c.Write(smpp.PDU{Command: command, Seq: seq, Body: body}.Bytes())
	c.writing.Unlock()
	if err != nil {
		return smpp.PDU{}, errGone
	}
	select {
	case p := <-answer:
		return p, nil
	case <-c.gone:
		select {
		case p := <-answer: // the last it said
			return p, nil
		default:
			return smpp.PDU{}, errGone
		}
	case <-ctx.Done():
		return smpp.PDU{}, ctx.Err()
	}
}
