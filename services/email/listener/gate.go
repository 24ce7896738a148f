package listener

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// gate bounds connections: in all, and from one address, since an address is
// what a stranger has few of. It remembers them to close them.
type gate struct {
	net.Listener
	all, each int
	refused   func()

	mu    sync.Mutex
	conns map[*guest]bool
	from  map[netip.Prefix]int
}

func newGate(l net.Listener, all, each int, refused func()) *gate {
	return &gate{Listener: l, all: all, each: each, refused: refused, conns: map[*guest]bool{}, from: map[netip.Prefix]int{}}
}

// Accept gives the next connection within the limits; others hear 421.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if in := g.admit(c); in != nil {
			return in, nil
		}
		g.refused()
		_ = c.SetDeadline(time.Now().Add(time.Second))
		_, _ = c.Write([]byte("421 4.7.0 too many connections, come back later\r\n")) // fits into the empty buffer of the socket
		c.Close()
	}
}

func (g *gate) admit(c net.Conn) *guest {
	in := &guest{Conn: c, gate: g, from: network(c.RemoteAddr())}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.conns) >= g.all || in.from.IsValid() && g.from[in.from] >= g.each {
		return nil
	}
	g.conns[in] = true
	g.from[in.from]++
	return in
}

// network is an IPv4 address, or the /64 an IPv6 address is in: one customer of a provider has all of it.
func network(a net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := ap.Addr().Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits)
	return p
}

// closeIdle closes those that have no mail under way; closeAll closes all.
func (g *gate) closeIdle() {
	for _, c := range g.list() {
		if !c.busy() {
			c.Close()
		}
	}
}

func (g *gate) closeAll() {
	for _, c := range g.list() {
		c.Close()
	}
}

func (g *gate) list() (out []*guest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		out = append(out, c)
	}
	return out
}

// guest is a connection that counts.
type guest struct {
	net.Conn
	gate *gate
	from netip.Prefix

	mu       sync.Mutex
	transfer bool
}

func (c *guest) setBusy(on bool) {
	c.mu.Lock()
	c.transfer = on
	c.mu.Unlock()
}

func (c *guest) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.transfer
}

func (c *guest) Close() error {
	c.gate.mu.Lock()
	if c.gate.conns[c] {
		delete(c.gate.conns, c)
		if c.gate.from[c.from]--; c.gate.from[c.from] == 0 {
			delete(c.gate.from, c.from)
		}
	}
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
