package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/ThreeDotsLabs/watermill/components/cqrs"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/envelope"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// send is the one command on OUT: bring this to the customer. It crosses the
// boundary between the conversation target and an adapter's on Watermill's
// command bus, encrypted.
type send struct {
	out    channel.Outbound
	sealed crypt.Sealed // on its way
	erased bool         // its key was destroyed while it waited
}

// commandName is every message's on OUT: none is ever another's to skip.
const commandName = "outbox.Send"

// marshaler puts a send into a message and takes it out.
type marshaler struct{ keys crypt.Keyring }

var _ cqrs.CommandEventMarshaler = marshaler{}

func (marshaler) Name(any) string                         { return commandName }
func (marshaler) NameFromMessage(*message.Message) string { return commandName }

// Marshal names the message by reply and attempt: the same one again is dropped by JetStream.
func (marshaler) Marshal(v any) (*message.Message, error) {
	c, ok := v.(*send)
	if !ok {
		return nil, fmt.Errorf("marshal %T: not a command of the outbox", v)
	}
	m := message.NewMessage("out/"+c.out.ID+"/"+strconv.Itoa(c.out.Attempt), envelope.Marshal(c.sealed))
	m.Metadata.Set(headerOutbound, c.out.ID)
	return m, nil
}

// Unmarshal opens it. One whose key was destroyed is a command to do nothing.
func (u marshaler) Unmarshal(m *message.Message, v any) error {
	c, ok := v.(*send)
	if !ok {
		return fmt.Errorf("unmarshal into %T: not a command of the outbox", v)
	}
	sealed, err := envelope.Unmarshal(m.Payload)
	if err != nil {
		return natsbus.Permanent(fmt.Errorf("decode outbound message: %w", err))
	}
	plain, err := u.keys.Open(m.Context(), sealed, aad(m.Metadata.Get(headerOutbound)))
	if errors.Is(err, crypt.ErrShredded) {
		c.erased = true
		return nil
	}
	if errors.Is(err, crypt.ErrForged) { // no time mends it: what is behind it goes on
		return natsbus.Permanent(fmt.Errorf("decrypt outbound message: %w", err))
	}
	if err != nil {
		return fmt.Errorf("decrypt outbound message: %w", err)
	}
	if err := json.Unmarshal(plain, &c.out); err != nil {
		return natsbus.Permanent(fmt.Errorf("decode outbound message: %w", err))
	}
	return nil
}

// commands is the sending end of the bus.
func commands(bus *natsbus.Bus) (*cqrs.CommandBus, error) {
	return cqrs.NewCommandBusWithConfig(natsbus.NewPublisher(bus), cqrs.CommandBusConfig{
		GeneratePublishTopic: func(p cqrs.CommandBusGeneratePublishTopicParams) (string, error) {
			out := p.Command.(*send).out
			return subject.Out(out.Tenant, out.Channel, out.Inbox, out.Customer), nil
		},
		Marshaler: marshaler{},
	})
}

// process adds the receiving end for a channel to r.
func process(r *message.Router, sub message.Subscriber, keys crypt.Keyring, channelName string, handle func(context.Context, *send) error) error {
	p, err := cqrs.NewCommandProcessorWithConfig(r, cqrs.CommandProcessorConfig{
		GenerateSubscribeTopic: func(cqrs.CommandProcessorGenerateSubscribeTopicParams) (string, error) {
			return "out.*." + channelName + ".>", nil
		},
		SubscriberConstructor: func(cqrs.CommandProcessorSubscriberConstructorParams) (message.Subscriber, error) {
			return sub, nil
		},
		Marshaler: marshaler{keys},
	})
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if err := p.AddHandlers(cqrs.NewCommandHandler("outbox-"+channelName, handle)); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}
