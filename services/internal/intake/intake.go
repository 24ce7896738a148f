// Package intake takes what arrived and makes it safe before anything reads it:
// encrypted, on disk, in order per sender, each provider message once.
//
// It is the one implementation of channel.Intake.
package intake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// Limits that no setting changes.
const (
	maxProviderID  = 1024
	maxContentType = 255
	maxAddress     = 2048
	maxVia         = 16 << 10
	maxDetail      = 16 << 10
	maxInline      = 512 << 10 // the server takes messages up to 1 MiB
)

// Config has defaults for all of its fields.
type Config struct {
	Partitions  int   // of the streams IN-0…: default 4, must be what natsbus declared
	InlineLimit int   // bytes of a body kept inside the message, default 256 KiB, at most 512 KiB; larger ones go to the blob store
	MaxBody     int64 // bytes, default 50 MiB
	Metrics     prometheus.Registerer
}

// Intake stores inputs and receipts. Safe for concurrent use.
type Intake struct {
	bus     *natsbus.Bus
	keys    crypt.Keyring
	blobs   blob.Store
	cfg     Config
	metrics *metrics
}

var _ channel.Intake = (*Intake)(nil)

// New needs the streams declared.
func New(bus *natsbus.Bus, keys crypt.Keyring, blobs blob.Store, cfg Config) (*Intake, error) {
	if cfg.Partitions == 0 {
		cfg.Partitions = 4
	}
	if cfg.InlineLimit == 0 {
		cfg.InlineLimit = 256 << 10
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 50 << 20
	}
	switch {
	case cfg.Partitions < 1:
		return nil, fmt.Errorf("intake: partitions is %d, want at least 1", cfg.Partitions)
	case cfg.InlineLimit < 0 || cfg.InlineLimit > maxInline:
		return nil, fmt.Errorf("intake: inline limit is %d bytes, want 1 to %d", cfg.InlineLimit, maxInline)
	case cfg.MaxBody < int64(cfg.InlineLimit):
		return nil, fmt.Errorf("intake: max body is %d bytes, want at least the inline limit of %d", cfg.MaxBody, cfg.InlineLimit)
	}
	return &Intake{bus: bus, keys: keys, blobs: blobs, cfg: cfg, metrics: newMetrics(cfg.Metrics)}, nil
}

// DataKey names the first data key of what arrives for an ordering key: the
// handle's id for inputs with a Peek, the customer's id for receipts that name
// one. Destroying it makes the originals unreadable.
//
// Whoever was erased may write again: what arrives then is under generation 2,
// and so on. An erasure must destroy all that exist: DataKeyGeneration names them.
func DataKey(key string) string { return DataKeyGeneration(key, 1) }

// DataKeyGeneration names the data key that is used after n-1 erasures.
func DataKeyGeneration(key string, n int) string {
	if n <= 1 {
		return "in/" + key
	}
	return "in/" + key + "/" + strconv.Itoa(n)
}

// Accept stores the inputs, in order per sender, each provider id once. When it
// returns nil all of them are on disk. On an error some may be, and offering
// all again is safe. Invalid input (an InvalidError) stores nothing of any.
func (in *Intake) Accept(ctx context.Context, inputs ...channel.Raw) error {
	all := make([]entry, len(inputs))
	var errs []error
	for i, raw := range inputs {
		if raw.Tenant == "" {
			raw.Tenant = subject.DefaultTenant
		}
		if err := in.check(raw); err != nil {
			err.Field = fmt.Sprintf("inputs[%d].%s", i, err.Field)
			errs = append(errs, err)
			continue
		}
		if raw.ReceivedAt.IsZero() {
			raw.ReceivedAt = time.Now().UTC()
		}
		id := in.keys.Hash("input", raw.Tenant, raw.Channel, raw.Inbox, raw.ProviderID)
		key := id
		if raw.Peek.Address != "" {
			key = handleid.Of(in.keys, raw.Peek)
		}
		all[i] = entry{kind: kindInput, id: id, key: key, tenant: raw.Tenant, channel: raw.Channel, inbox: raw.Inbox, raw: &raw}
	}
	if err := errors.Join(errs...); err != nil {
		in.metrics.refused.Add(float64(len(errs)))
		return err
	}
	return in.store(ctx, all)
}

// Report stores what became of outbound messages. Durable like Accept; receipts
// of one customer stay in order.
func (in *Intake) Report(ctx context.Context, receipts ...channel.Receipt) error {
	all := make([]entry, len(receipts))
	var errs []error
	for i, r := range receipts {
		if r.Tenant == "" {
			r.Tenant = subject.DefaultTenant
		}
		if err := checkReceipt(r); err != nil {
			err.Field = fmt.Sprintf("receipts[%d].%s", i, err.Field)
			errs = append(errs, err)
			continue
		}
		if r.At.IsZero() {
			r.At = time.Now().UTC()
		}
		key := r.Customer
		if key == "" {
			key = in.keys.Hash("receipt", r.Outbound)
		}
		id := in.keys.Hash("receipt id", r.Tenant, r.Channel, r.Inbox, r.Outbound, r.Customer,
			string(r.State), r.ProviderID, r.Detail, r.At.UTC().Format(time.RFC3339Nano))
		all[i] = entry{kind: kindReceipt, id: id, key: key, tenant: r.Tenant, channel: r.Channel, inbox: r.Inbox, receipt: &r}
	}
	if err := errors.Join(errs...); err != nil {
		in.metrics.refused.Add(float64(len(errs)))
		return err
	}
	return in.store(ctx, all)
}

// InvalidError: the input itself is wrong. Offering it again cannot help.
type InvalidError struct {
	Field string // "inputs[0].body"
	Want  string
}

func (e *InvalidError) Error() string   { return e.Field + ": want " + e.Want }
func (e *InvalidError) Permanent() bool { return true }

const wantToken = "1 to 64 of a-z A-Z 0-9 _ -"

func (in *Intake) check(r channel.Raw) *InvalidError {
	switch {
	case !subject.ValidToken(r.Tenant):
		return &InvalidError{"tenant", wantToken}
	case !subject.ValidToken(r.Channel):
		return &InvalidError{"channel", wantToken}
	case !subject.ValidToken(r.Inbox):
		return &InvalidError{"inbox", wantToken}
	case r.ProviderID == "" || len(r.ProviderID) > maxProviderID:
		return &InvalidError{"provider_id", fmt.Sprintf("1 to %d bytes, have %d", maxProviderID, len(r.ProviderID))}
	case len(r.ContentType) > maxContentType:
		return &InvalidError{"content_type", fmt.Sprintf("at most %d bytes, have %d", maxContentType, len(r.ContentType))}
	case len(r.Peek.Kind)+len(r.Peek.Address)+len(r.Peek.Scope)+len(r.Peek.Name) > maxAddress:
		return &InvalidError{"peek", fmt.Sprintf("at most %d bytes in all", maxAddress)}
	case viaSize(r.Via) > maxVia:
		return &InvalidError{"via", fmt.Sprintf("at most %d bytes in all, have %d", maxVia, viaSize(r.Via))}
	case int64(len(r.Body)) > in.cfg.MaxBody:
		return &InvalidError{"body", fmt.Sprintf("at most %d bytes, have %d", in.cfg.MaxBody, len(r.Body))}
	}
	return nil
}

func viaSize(via map[string]string) (n int) {
	for k, v := range via {
		n += len(k) + len(v)
	}
	return n
}

func checkReceipt(r channel.Receipt) *InvalidError {
	switch {
	case !subject.ValidToken(r.Tenant):
		return &InvalidError{"tenant", wantToken}
	case !subject.ValidToken(r.Channel):
		return &InvalidError{"channel", wantToken}
	case !subject.ValidToken(r.Inbox):
		return &InvalidError{"inbox", wantToken}
	case r.Customer != "" && !subject.ValidToken(r.Customer):
		return &InvalidError{"customer", "empty or " + wantToken}
	case r.To != (channel.Address{}):
		return &InvalidError{"to", "nothing: receipts of an address are parsed, not reported"}
	case r.Outbound == "" && r.ProviderID == "":
		return &InvalidError{"outbound", "an id, or a provider_id"}
	case len(r.Outbound) > 256:
		return &InvalidError{"outbound", fmt.Sprintf("at most 256 bytes, have %d", len(r.Outbound))}
	case len(r.ProviderID) > maxProviderID:
		return &InvalidError{"provider_id", fmt.Sprintf("at most %d bytes, have %d", maxProviderID, len(r.ProviderID))}
	case len(r.Detail) > maxDetail:
		return &InvalidError{"detail", fmt.Sprintf("at most %d bytes, have %d", maxDetail, len(r.Detail))}
	}
	switch r.State {
	case channel.StateRetrying, channel.StateUnknown, channel.StateSent, channel.StateDelivered, channel.StateRead, channel.StateFailed:
		return nil
	}
	return &InvalidError{"state", "retrying, unknown, sent, delivered, read or failed"}
}

// entry is an input or a receipt on its way into the stream.
type entry struct {
	kind                   string
	id, key                string
	tenant, channel, inbox string
	raw                    *channel.Raw
	receipt                *channel.Receipt
	dataKey                string
	blob                   string // key of the body in the blob store
	msg                    *nats.Msg
}

func (e entry) subject(partitions int) string {
	return subject.In(subject.Partition(e.tenant+e.key, partitions), e.tenant, e.channel, e.inbox, strings.ToValidUTF8(e.key, ""))
}
