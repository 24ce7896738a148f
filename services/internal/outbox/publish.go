package outbox

import (
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

// maxMessage is how much an outbound message may have as JSON. Attachments are
// references and do not count.
const maxMessage = 768 << 10

func aad(id string) []byte { return []byte("out/" + id) }

// Publish asks for out to be sent, encrypted under dataKey. On disk when it
// returns. Publishing the same ID and Attempt again changes nothing; a greater
// Attempt (0 means 1) is a person's decision to try again after a failure.
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
	plain, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode outbound message: %w", err)
	}
	if len(plain) > maxMessage {
		return fmt.Errorf("outbound content has %d bytes, limit is %d", len(plain), maxMessage)
	}
	sealed, err := keys.Seal(ctx, dataKey, plain, aad(out.ID))
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
