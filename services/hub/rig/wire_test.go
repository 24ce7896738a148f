//go:build rig

package rig_test

import (
	"bytes"
	"io"
	"net"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// wire is the network between the hub and a server: it can end a connection at
// the worst moment, which no server does on order.
type wire struct {
	net.Listener
	target string
	mu     sync.Mutex
	// cuts is how many connections are still to be ended, and done how many were.
	cuts, done int
	at         func(toServer bool, b []byte) int // where in b to cut; -1: not here
}

func newWire(t *testing.T, port string, at func(toServer bool, b []byte) int) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, target: "127.0.0.1:" + port, at: at}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *wire) port() string {
	_, port, _ := net.SplitHostPort(w.Addr().String())
	return port
}

// cut ends the next n connections that come to the moment.
func (w *wire) cut(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts, w.done = n, 0
}

func (w *wire) cutSoFar() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

func (w *wire) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer server.Close()
	ended := make(chan struct{}, 2)
	go func() { w.pump(server, client, true); ended <- struct{}{} }()
	go func() { w.pump(client, server, false); ended <- struct{}{} }()
	<-ended
}

// pump copies until the end, or until the moment has come. Then the other
// side still gets everything up to it, and nobody gets anything more.
func (w *wire) pump(to, from net.Conn, toServer bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			end := w.moment(toServer, buf[:n])
			part := buf[:n]
			if end >= 0 {
				part = buf[:end]
			}
			if _, err := to.Write(part); err != nil {
				return
			}
			if end >= 0 && toServer {
				// The server has it all and answers, to nobody.
				_ = from.(*net.TCPConn).SetLinger(0)
				from.Close()
				_, _ = io.Copy(io.Discard, io.LimitReader(to, 1))
				return
			}
			if end >= 0 {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) moment(toServer bool, b []byte) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cuts == 0 {
		return -1
	}
	end := w.at(toServer, b)
	if end >= 0 {
		w.cuts--
		w.done++
	}
	return end
}

var literal = regexp.MustCompile(`\{(\d+)\}\r\n`)

// insideALiteral: half of what came of a long literal.
func insideALiteral(toServer bool, b []byte) int {
	if toServer {
		return -1
	}
	for _, m := range literal.FindAllSubmatchIndex(b, -1) {
		if size, _ := strconv.Atoi(string(b[m[2]:m[3]])); size >= 100_000 {
			return m[1] + (len(b)-m[1])/2
		}
	}
	return -1
}

// behindTheDot: the mail is the server's, its 250 is lost.
func behindTheDot(toServer bool, b []byte) int {
	if i := bytes.Index(b, []byte("\r\n.\r\n")); toServer && i >= 0 {
		return i + 5
	}
	return -1
}
