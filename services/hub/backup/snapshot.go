package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream's protocol for the copy of a stream, as the server's documentation
// and its client tools have it: $JS.API.STREAM.SNAPSHOT.<stream> names a subject
// for chunks of a compressed archive; each chunk with a reply subject is
// acknowledged there; an empty message ends it, with a status when it failed.

// silence is how long the server may send nothing while it reads its files.
const silence = time.Minute

// snapshot is a stream's copy being received.
type snapshot struct {
	Config json.RawMessage
	State  json.RawMessage
	first  *nats.Msg
	sub    *nats.Subscription
}

// beginSnapshot returns when the stream's state, and after it that of its
// consumers, is fixed. The rest must then be received without delay: after 5 s
// without an acknowledgement the server gives up.
func beginSnapshot(ctx context.Context, nc *nats.Conn, stream string) (*snapshot, error) {
	deliver := nc.NewInbox()
	sub, err := nc.SubscribeSync(deliver)
	if err != nil {
		return nil, err
	}
	if err := sub.SetPendingLimits(-1, 128<<20); err != nil { // the server's window is 8 MiB
		return nil, errors.Join(err, sub.Unsubscribe())
	}
	s := &snapshot{sub: sub}
	var answer struct {
		Error  *jetstream.APIError `json:"error"`
		Config json.RawMessage     `json:"config"`
		State  json.RawMessage     `json:"state"`
	}
	err = request(ctx, nc, "$JS.API.STREAM.SNAPSHOT."+stream, map[string]any{"deliver_subject": deliver}, &answer)
	if err == nil && answer.Error != nil {
		err = answer.Error
	}
	if err == nil {
		// The state of consumers goes before the messages: with the first chunk it has been read.
		s.Config, s.State = answer.Config, answer.State
		s.first, err = s.next(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, sub.Unsubscribe())
	}
	return s, nil
}

func (s *snapshot) next(ctx context.Context) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, silence, errors.New("the server sends nothing"))
	defer cancel()
	m, err := s.sub.NextMsgWithContext(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return m, err
}

// receive writes the archive to w until its end.
func (s *snapshot) receive(ctx context.Context, w io.Writer) (err error) {
	defer func() { err = errors.Join(err, s.sub.Unsubscribe()) }()
	for m := s.first; ; {
		if len(m.Data) == 0 {
			if status := m.Header.Get("Status"); status != "" && status != "204" {
				return fmt.Errorf("the server gave up: %s %s", status, m.Header.Get("Description"))
			}
			return nil
		}
		if _, err := w.Write(m.Data); err != nil {
			return err
		}
		if m.Reply != "" {
			if err := m.Respond(nil); err != nil {
				return err
			}
		}
		if m, err = s.next(ctx); err != nil {
			return err
		}
	}
}

// restoreChunk is small: the server takes a restore for stalled when one chunk
// keeps it busy for 5 s.
const restoreChunk = 64 << 10

// restoreStream sends an archive back: $JS.API.STREAM.RESTORE.<stream> names the
// subject for its chunks, each is a request, an empty one ends it.
func restoreStream(ctx context.Context, nc *nats.Conn, stream string, config, state json.RawMessage, r io.Reader) error {
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Deliver string              `json:"deliver_subject"`
	}
	err := request(ctx, nc, "$JS.API.STREAM.RESTORE."+stream, map[string]any{"config": config, "state": state}, &answer)
	if err == nil && answer.Error != nil {
		err = answer.Error
	}
	if err != nil {
		return err
	}
	chunk := make([]byte, restoreChunk)
	for {
		n, err := io.ReadFull(r, chunk)
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return err
		}
		if n > 0 {
			if err := restorePart(ctx, nc, answer.Deliver, chunk[:n]); err != nil {
				return err
			}
		}
		if end {
			return restorePart(ctx, nc, answer.Deliver, nil)
		}
	}
}

func restorePart(ctx context.Context, nc *nats.Conn, subj string, chunk []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*silence, errors.New("the server does not answer"))
	defer cancel()
	m, err := nc.RequestWithContext(ctx, subj, chunk)
	if err != nil {
		return err
	}
	if len(m.Data) == 0 {
		return nil
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if answer.Error != nil {
		return answer.Error
	}
	return nil
}

// request asks the JetStream API.
func request(ctx context.Context, nc *nats.Conn, subj string, ask, answer any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, silence, errors.New("the server does not answer"))
	defer cancel()
	b, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	m, err := nc.RequestWithContext(ctx, subj, b)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(m.Data, answer); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}
