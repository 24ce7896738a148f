package natsbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoMessage: the stream has no message of this sequence (any more).
var ErrNoMessage = errors.New("no such message")

// Read reads one message of a stream again, as a Subscriber would have given it.
func (b *Bus) Read(ctx context.Context, stream string, seq uint64) (*message.Message, error) {
	d := &delivery{id: place{stream, seq}}
	if err := b.load(ctx, d); err != nil {
		return nil, err
	}
	m := message.NewMessageWithContext(ctx, d.header.Get(jetstream.MsgIDHeader), d.data)
	m.Metadata = metadata(d)
	return m, nil
}

// load reads a delivery's subject, headers and payload from its stream.
func (b *Bus) load(ctx context.Context, d *delivery) error {
	s, err := b.JS.Stream(ctx, d.id.stream)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", d.id.stream, err)
	}
	m, err := s.GetMsg(ctx, d.id.seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("message %d of stream %s: %w", d.id.seq, d.id.stream, ErrNoMessage)
	}
	if err != nil {
		return fmt.Errorf("read message %d of stream %s: %w", d.id.seq, d.id.stream, err)
	}
	d.subject, d.stored, d.header, d.data = m.Subject, m.Time, m.Header, m.Data
	return nil
}
