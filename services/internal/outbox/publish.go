package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// headerOutbound is the reply id; it binds the ciphertext.
const headerOutbound = "Wl-Outbound"

// maxMessage is how much an outbound message may have as JSON: what a commit
// (eventstore.MaxCommitBytes) can hold of a reply, in base64 there, always fits.
// NATS takes 1 MiB with headers. Attachments are references and do not count.
const maxMessage = 1000 << 10

// TooLargeError: what should be sent can never be handed over.
type TooLargeError struct{ Bytes, Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the message has %d bytes to be sent, limit is %d", e.Bytes, e.Limit)
}

func aad(id string) []byte { return []byte("out/" + id) }

// Publish asks for out to be sent, encrypted under dataKey. On disk when it
// returns. Publishing the same ID and Attempt again changes nothing; a greater
// Attempt (0 means 1) is a person's decision to try again after a failure.
// Errors: *TooLargeError, which trying again does not change.
func Publish(ctx context.Context, bus *natsbus.Bus, keys crypt.Keyring, dataKey string, out channel.Outbound) error {
	if out.Tenant == "" {
		out.Tenant = subject.DefaultTenant
	}
	out.Attempt = max(out.Attempt, 1)
	for _, f := range []struct{ name, value string }{
		{"id", out.ID}, {"tenant", out.Tenant}, {"channel", out.Channel}, {"inbox", out.Inbox}, {"customer", out.Customer},
	} {
		if !subject.ValidToken(f.value) {
			return fmt.Errorf("outbound %s %q: want 1 to 64 of a-z A-Z 0-9 _ -", f.name, f.value)
		}
	}
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false) // as it was stored: six bytes for every < would not fit
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("encode outbound message: %w", err)
	}
	if plain.Len() > maxMessage {
		return &TooLargeError{plain.Len(), maxMessage}
	}
	sealed, err := keys.Seal(ctx, dataKey, plain.Bytes(), aad(out.ID))
	if err != nil {
		return fmt.Errorf("encrypt outbound message: %w", err)
	}
	ctx, span := telemetry.Span(ctx, "outbox", telemetry.Channel(out.Channel), telemetry.Inbox(out.Inbox))
	defer span.End()
	to, err := commands(bus)
	if err != nil {
		return fmt.Errorf("publish outbound message: %w", err)
	}
	if err := to.Send(ctx, &send{out: out, sealed: sealed}); err != nil {
		return fmt.Errorf("publish outbound message: %w", err)
	}
	return nil
}
