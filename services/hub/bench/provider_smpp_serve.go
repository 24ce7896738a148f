package bench

import (
	"github.com/weftline/weftline/services/sms/smpp"
)

// serve reads what the hub says on one connection until it ends.
func (s *smsc) serve(c *smscConn) {
	defer func() {
		c.Close()
		close(c.gone)
		s.change(func() {
			delete(s.conns, c)
			if s.link == c {
				s.link = nil
			}
		})
	}()
	for {
		p, err := smpp.Read(c)
		if err != nil {
			return
		}
		if p.Command.IsResponse() {
			c.mu.Lock()
			answer := c.waiting[p.Seq]
			delete(c.waiting, p.Seq)
			c.mu.Unlock()
			if answer == nil {
				s.refuse("the hub answers a request to the SMSC twice, or one that there was not: %#x", uint32(p.Command))
				return
			}
			answer <- p
			continue
		}
		if !s.answer(c, p) {
			return
		}
	}
}

// answer does what the hub asks; false: the connection ends.
func (s *smsc) answer(c *smscConn, p smpp.PDU) bool {
	reply := smpp.PDU{Command: p.Command.Response(), Seq: p.Seq}
	switch p.Command {
	case smpp.BindTransceiver:
		login, err := smpp.DecodeLogin(p.Body)
		if err != nil || login.SystemID != smscSystemID || login.Password != smscPassword {
			s.refuse("the hub binds to the SMSC with another login: %v", err)
			return false
		}
		reply.Body = []byte("BENCH\x00")
		if c.write(reply) != nil {
			return false
		}
		s.change(func() { s.link = c })
		return true
	case smpp.EnquireLink:
	case smpp.Unbind:
		_ = c.write(reply) // it goes in any case
		return false
	default:
		s.refuse("the hub asks the SMSC for %#x", uint32(p.Command))
		return false
	}
	return c.write(reply) == nil
}
