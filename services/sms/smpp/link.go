package smpp

import (
	"fmt"
	"hash/fnv"
	"time"
)

// read takes what comes until the link ends.
func (s *Session) read() {
	defer func() {
		for _, l := range s.lanes {
			close(l)
		}
	}()
	for {
		p, err := Read(s.conn)
		if err != nil {
			s.end(fmt.Errorf("the link broke: %w", err))
			return
		}
		s.touch()
		if !s.take(p) {
			return
		}
	}
}

// take handles a PDU; false: it was the last.
func (s *Session) take(p PDU) bool {
	if p.Command.IsResponse() { // generic_nack, too
		s.mu.Lock()
		answer := s.pending[p.Seq]
		s.mu.Unlock()
		if answer != nil {
			select {
			case answer <- p:
			default: // answered twice
			}
		}
		return true
	}
	switch p.Command {
	case DeliverSM:
		select {
		case s.lanes[lane(p, len(s.lanes))] <- p: // when it is full the SMSC waits
		case <-s.done:
			return false
		}
	case EnquireLink:
		_ = s.write(PDU{Command: EnquireLinkResp, Seq: p.Seq})
	case Unbind:
		_ = s.write(PDU{Command: UnbindResp, Seq: p.Seq})
		s.end(errUnbound)
		return false
	case AlertNotification: // has no answer
	default:
		_ = s.write(PDU{Command: GenericNack, Status: InvalidCmd, Seq: p.Seq})
	}
	return true
}

// lane keeps messages of a sender in order.
func lane(p PDU, n int) int {
	m, _ := Decode(p.Body)
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.Source.Addr))
	return int(h.Sum32() % uint32(n)) //nolint:gosec // n is small
}

func (s *Session) deliver(lane <-chan PDU) {
	for p := range lane {
		status := TemporaryApp
		if s.cfg.Deliver != nil && s.ctx.Err() == nil {
			status = s.cfg.Deliver(s.ctx, p)
		}
		_ = s.write(PDU{Command: DeliverSMResp, Status: status, Seq: p.Seq, Body: []byte{0}})
	}
}

// enquire asks whether the SMSC is there when nothing has come for a while.
func (s *Session) enquire() {
	t := time.NewTicker(s.cfg.Enquire)
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
		}
		if time.Since(time.Unix(0, s.heard.Load())) < s.cfg.Enquire {
			continue
		}
		if _, err := s.request(s.ctx, EnquireLink, nil); err != nil && s.ctx.Err() == nil {
			if _, answered := err.(*StatusError); answered { //nolint:errorlint // it is not wrapped
				continue
			}
			s.end(errSilent)
		}
	}
}
