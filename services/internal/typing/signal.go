// Package typing shows customers that an agent types, and agents that a customer
// does, on channels other than the chat widget. Nothing of it is durable, and a lost signal costs nothing.
//
//	console ──live.<tenant>.typing.reply.<channel>.<inbox>──► Follow ──► channel.Typist ──► provider
//
// Signals travel on core NATS from whoever knows where an answer would go to
// the process that holds the adapter. What a customer does takes the widget's
// way, live.<tenant>.typing.in.<handle>.
package typing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/envelope"
)

// Signal says that somebody begins to type to a customer, still does, or has stopped.
type Signal struct {
	To channel.Address `json:"to"`
	On bool            `json:"on"`
}

// maxSignal is more than any address needs, in bytes.
const maxSignal = 4 << 10

func subjectOf(tenant, channelName, inboxID string) string {
	return "live." + tenant + ".typing.reply." + channelName + "." + inboxID
}

// under is the key of a signal: that of its inbox, which its settings are sealed
// under, too. Addresses are in clear on no wire, also where NATS is a cluster.
func under(inboxID string) string { return "inbox/" + inboxID }

func aad(inboxID string) []byte { return []byte("typing/" + inboxID) }

// Publish sends a signal; whether anybody hears it is not known.
func Publish(ctx context.Context, nc *nats.Conn, keys crypt.Keyring, tenant, channelName, inboxID string, s Signal) error {
	if !subject.ValidToken(channelName) || !subject.ValidToken(inboxID) {
		return fmt.Errorf("typing in inbox %q of channel %q: they are no subject tokens", inboxID, channelName)
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode typing: %w", err)
	}
	sealed, err := keys.Seal(ctx, under(inboxID), plain, aad(inboxID))
	if err != nil {
		return fmt.Errorf("seal typing: %w", err)
	}
	if err := nc.Publish(subjectOf(tenant, channelName, inboxID), envelope.Marshal(sealed)); err != nil {
		return fmt.Errorf("publish typing: %w", err)
	}
	return nil
}

func open(ctx context.Context, keys crypt.Keyring, inboxID string, data []byte) (s Signal, err error) {
	if len(data) > maxSignal {
		return s, fmt.Errorf("typing has %d bytes, at most %d are read", len(data), maxSignal)
	}
	sealed, err := envelope.Unmarshal(data)
	if err != nil {
		return s, fmt.Errorf("read typing: %w", err)
	}
	if sealed.Key != under(inboxID) {
		return s, errors.New("read typing: it is sealed under another key than the inbox's")
	}
	plain, err := keys.Open(ctx, sealed, aad(inboxID))
	if err != nil {
		return s, fmt.Errorf("read typing: %w", err)
	}
	return s, json.Unmarshal(plain, &s)
}

// Customer says that a customer types, or has stopped: the consoles that show a
// conversation with his handle hear it.
func Customer(nc *nats.Conn, tenant, handleID string, on bool) error {
	b, err := json.Marshal(map[string]bool{"typing": on})
	if err != nil {
		return fmt.Errorf("encode typing: %w", err)
	}
	if err := nc.Publish("live."+tenant+".typing.in."+handleID, b); err != nil {
		return fmt.Errorf("publish typing: %w", err)
	}
	return nil
}
