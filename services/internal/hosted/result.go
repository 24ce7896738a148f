package hosted

import (
	"errors"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// Result is the receipt of a send. ErrUnknown becomes StateUnknown, other
// errors pass; a refusal is for Failed.
func Result(out channel.Outbound, now time.Time, providerID string, err error) (channel.Receipt, error) {
	r := channel.Receipt{
		Tenant: out.Tenant, Channel: out.Channel, Inbox: out.Inbox, Outbound: out.ID, Customer: out.Customer,
		State: channel.StateSent, ProviderID: providerID, At: now.UTC(),
	}
	switch {
	case errors.Is(err, ErrUnknown):
		r.State, r.Detail = channel.StateUnknown, err.Error()
		return r, nil
	case err != nil:
		return channel.Receipt{}, err
	}
	return r, nil
}

// Failed is the receipt of a send that the provider refuses for good.
func Failed(out channel.Outbound, now time.Time, detail string) (channel.Receipt, error) {
	r, _ := Result(out, now, "", nil)
	r.State, r.Detail = channel.StateFailed, detail
	return r, nil
}
