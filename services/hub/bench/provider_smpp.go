package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/services/sms/gsm"
	"github.com/weftline/weftline/services/sms/smpp"
)

// smsc is an SMSC that the hub binds to as a transceiver (SMPP 3.4): it hands
// over messages and takes deliver_sm_resp for the acknowledgement.
type smsc struct {
	*asked
	l     net.Listener
	done  sync.WaitGroup
	conns map[*smscConn]bool
	link  *smscConn // bound; nil: nobody
}

type smscConn struct {
	net.Conn
	writing sync.Mutex
	mu      sync.Mutex
	seq     uint32
	waiting map[uint32]chan smpp.PDU
	gone    chan struct{}
}

const (
	smscNumber   = "+15005550007"
	smscSystemID = "bench"
	smscPassword = "12345678"
)

func openSMSC() (*smsc, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("make an SMSC: %w", err)
	}
	s := &smsc{asked: newAsked(), l: l, conns: map[*smscConn]bool{}}
	s.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c := &smscConn{Conn: conn, waiting: map[uint32]chan smpp.PDU{}, gone: make(chan struct{})}
			s.change(func() { s.conns[c] = true })
			s.done.Go(func() { s.serve(c) })
		}
	})
	return s, nil
}

func (s *smsc) close() {
	s.l.Close()
	s.change(func() {
		for c := range s.conns {
			c.Close()
		}
	})
	s.done.Wait()
}

func (s *smsc) source() source {
	return source{
		name: "smpp",
		inbox: inboxYAML("smpp", "sms", "provider", "smpp", "number", smscNumber, "smpp_address", s.l.Addr().String(), "smpp_tls", "off",
			"smpp_system_id", smscSystemID, "smpp_password", smscPassword),
		ready: s.ready, write: s.write,
	}
}

// ready waits for the bind, and asks whether the hub is there.
func (s *smsc) ready(ctx context.Context, _, _ int) error {
	if err := s.until(ctx, "binds to the SMSC", func() bool { return s.link != nil }); err != nil {
		return err
	}
	return s.ask(ctx, smpp.EnquireLink, nil)
}

// write hands over as many at once as other providers post.
func (s *smsc) write(ctx context.Context, _ *child, from, senders int) error {
	var g errgroup.Group
	g.SetLimit(posters)
	for sender := from; sender < from+senders; sender++ {
		g.Go(func() error {
			for n := range eachSays {
				short, ok := gsm.Encode(text(sender, n))
				if !ok {
					return errors.New("the text is not in the alphabet of GSM")
				}
				body, err := smpp.Message{
					Source: smpp.Address{TON: smpp.TONInternational, NPI: 1, Addr: fmt.Sprintf("1415%07d", 7_000_000+sender)},
					Dest:   smpp.Address{TON: smpp.TONInternational, NPI: 1, Addr: smscNumber[1:]}, Short: short,
				}.Encode()
				if err != nil {
					return err
				}
				if err := s.ask(ctx, smpp.DeliverSM, body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// ask sends a request to the hub and waits until it is answered with OK.
func (s *smsc) ask(ctx context.Context, command smpp.Command, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s.mu.Lock()
	c, wrong := s.link, s.wrong
	s.mu.Unlock()
	if c == nil || wrong != nil {
		return errors.Join(errors.New("the hub is not bound to the SMSC"), wrong)
	}
	answer := make(chan smpp.PDU, 1)
	c.mu.Lock()
	c.seq++
	seq := c.seq
	c.waiting[seq] = answer
	c.mu.Unlock()
	if err := c.write(smpp.PDU{Command: command, Seq: seq, Body: body}); err != nil {
		return err
	}
	select {
	case p := <-answer:
		if p.Command != command.Response() || p.Status != smpp.OK {
			return fmt.Errorf("the hub answers %#x with %#x, status %s", uint32(command), uint32(p.Command), p.Status)
		}
		return nil
	case <-c.gone:
		return errors.New("the hub has hung up on the SMSC")
	case <-ctx.Done():
		return fmt.Errorf("the hub does not answer %#x: %w", uint32(command), ctx.Err())
	}
}

func (c *smscConn) write(p smpp.PDU) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.Write(p.Bytes())
	return err
}
