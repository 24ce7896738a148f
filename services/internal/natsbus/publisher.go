package natsbus

import (
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Publisher is Watermill's message.Publisher: the topic is the subject, the
// metadata are headers, the UUID is the message id by which JetStream drops
// what is published twice within two minutes. Safe for concurrent use.
type Publisher struct{ bus *Bus }

var _ message.Publisher = (*Publisher)(nil)

// NewPublisher publishes on the bus.
func NewPublisher(bus *Bus) *Publisher { return &Publisher{bus} }

// Publish stores the messages one after the other; each is on disk before the
// next is sent. It stops at the first error.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	for _, wm := range messages {
		m := nats.NewMsg(topic)
		m.Data = wm.Payload
		for k, v := range wm.Metadata {
			if !added(k) {
				m.Header.Set(k, oneLine(v, 4096))
			}
		}
		InjectTrace(wm.Context(), m.Header)
		var opts []jetstream.PublishOpt
		if wm.UUID != "" {
			opts = append(opts, jetstream.WithMsgID(wm.UUID))
		}
		if _, err := p.bus.JS.PublishMsg(wm.Context(), m, opts...); err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
	}
	return nil
}

// Close does nothing: the bus belongs to who opened it.
func (p *Publisher) Close() error { return nil }
