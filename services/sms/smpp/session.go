package smpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Config of a Session. Zero durations and numbers take the defaults.
type Config struct {
	Bind  Command // BindTransceiver (default), BindTransmitter or BindReceiver
	Login Login
	// Window is how many submit_sm may be without their answers; default 10.
	Window int
	// Timeout bounds the bind and the wait for each answer; default 30 s.
	Timeout time.Duration
	// Enquire is how long the link may be silent before it is asked; default 30 s.
	Enquire time.Duration
	// Deliver takes a deliver_sm and says how it is answered; OK only when it is
	// stored. Calls for one sender come one after the other, those of others at the same time.
	Deliver func(ctx context.Context, p PDU) Status
}

// Session is a bound connection. Safe for concurrent use.
type Session struct {
	cfg     Config
	conn    net.Conn
	seq     atomic.Uint32
	writing sync.Mutex
	window  chan struct{}
	heard   atomic.Int64 // when something last came, Unix nanoseconds
	lanes   [8]chan PDU

	mu      sync.Mutex
	pending map[uint32]chan PDU
	err     error
	done    chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

// Errors of Submit.
var (
	// ErrNotSent: the link is down, and nothing of it went out.
	ErrNotSent = errors.New("the SMSC is not connected")
	// ErrNoAnswer: it went out, and whether the SMSC took it is not known.
	ErrNoAnswer = errors.New("the SMSC did not answer")
	errSilent   = errors.New("the SMSC does not answer enquire_link")
	errUnbound  = errors.New("the SMSC has unbound")
	errClosed   = errors.New("closed")
)

// Open binds over a connection and takes it over. A refused bind is a StatusError.
func Open(ctx context.Context, conn net.Conn, cfg Config) (*Session, error) {
	if cfg.Bind == 0 {
		cfg.Bind = BindTransceiver
	}
	if cfg.Window <= 0 {
		cfg.Window = 10
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Enquire <= 0 {
		cfg.Enquire = 30 * time.Second
	}
	s := &Session{cfg: cfg, conn: conn, window: make(chan struct{}, cfg.Window), pending: map[uint32]chan PDU{}, done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.touch()
	for i := range s.lanes {
		s.lanes[i] = make(chan PDU, 64)
		s.workers.Go(func() { s.deliver(s.lanes[i]) })
	}
	s.workers.Go(s.read)
	s.workers.Go(s.enquire)
	if _, err := s.request(ctx, cfg.Bind, cfg.Login.encode()); err != nil {
		s.end(errClosed)
		s.workers.Wait()
		return nil, fmt.Errorf("bind: %w", err)
	}
	return s, nil
}

// Done is closed when the session has ended; Err says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is why it ended.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close unbinds and waits until nothing runs any more. Answers that are still
// to come have until ctx ends.
func (s *Session) Close(ctx context.Context) {
	for range cap(s.window) { // let what is under way finish
		select {
		case s.window <- struct{}{}:
			continue
		case <-ctx.Done():
		case <-s.done:
		}
		break
	}
	short, cancel := context.WithTimeout(ctx, min(s.cfg.Timeout, 2*time.Second))
	defer cancel()
	_, _ = s.request(short, Unbind, nil)
	s.end(errClosed)
	s.workers.Wait()
}

// Submit sends a message and returns the id that the SMSC gave it. It waits
// for a place in the window as long as ctx lasts. Errors: StatusError, and ones that wrap
// ErrNotSent or ErrNoAnswer.
func (s *Session) Submit(ctx context.Context, m Message) (string, error) {
	body, err := m.Encode()
	if err != nil {
		return "", err
	}
	select {
	case s.window <- struct{}{}:
		defer func() { <-s.window }()
	case <-ctx.Done():
		return "", fmt.Errorf("%w: %w", ErrNotSent, ctx.Err())
	case <-s.done:
		return "", fmt.Errorf("%w: %w", ErrNotSent, s.Err())
	}
	p, err := s.request(ctx, SubmitSM, body)
	if err != nil {
		return "", err
	}
	return id(p.Body), nil
}

// request sends and waits for the answer.
func (s *Session) request(ctx context.Context, c Command, body []byte) (PDU, error) {
	if err := ctx.Err(); err != nil {
		return PDU{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	answer := make(chan PDU, 1)
	seq := s.seq.Add(1) & 0x7fffffff
	s.mu.Lock()
	if s.err != nil {
		err := s.err
		s.mu.Unlock()
		return PDU{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	s.pending[seq] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.pending, seq)
		s.mu.Unlock()
	}()
	if err := s.write(PDU{Command: c, Seq: seq, Body: body}); err != nil {
		return PDU{}, fmt.Errorf("%w: %w", ErrNoAnswer, err) // some of it may have gone out
	}
	timeout := time.NewTimer(s.cfg.Timeout)
	defer timeout.Stop()
	select {
	case p := <-answer:
		return judge(c, p)
	case <-ctx.Done():
		return PDU{}, fmt.Errorf("%w: %w", ErrNoAnswer, ctx.Err())
	case <-timeout.C:
		return PDU{}, fmt.Errorf("%w within %s", ErrNoAnswer, s.cfg.Timeout)
	case <-s.done:
		select {
		case p := <-answer: // the last it said
			return judge(c, p)
		default:
			return PDU{}, fmt.Errorf("%w: %w", ErrNoAnswer, s.Err())
		}
	}
}

func judge(c Command, p PDU) (PDU, error) {
	if p.Status != OK {
		return p, &StatusError{c, p.Status}
	}
	if p.Command != c.Response() {
		return p, fmt.Errorf("%w: it answers with command %#x", ErrNoAnswer, uint32(p.Command))
	}
	return p, nil
}

func (s *Session) write(p PDU) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.conn.SetWriteDeadline(time.Now().Add(s.cfg.Timeout))
	if err == nil {
		_, err = s.conn.Write(p.Bytes())
	}
	if err != nil {
		s.end(err)
	}
	return err
}

// end ends the session, once.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	s.cancel()
	close(s.done)
	s.conn.Close()
}

func (s *Session) touch() { s.heard.Store(time.Now().UnixNano()) }
