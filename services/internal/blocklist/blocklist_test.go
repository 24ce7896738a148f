package blocklist_test

import (
	"testing"

	"github.com/weftline/weftline/services/internal/blocklist"
)

func TestReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, address, want string }{
		{"email", "Info@Shop.example.org", blocklist.Role},
		{"email", "support+ticket7@acme.com", blocklist.Role},
		{"email", "no-reply@acme.com", blocklist.Role},
		{"email", "informer@acme.com", ""},
		{"email", "ada.info@acme.com", ""},
		{"email", "ada@acme.com", ""},
		{"email", "ada@shop.example.org", ""},
		{"email", "x7k2m9@marketplace.amazon.co.uk", blocklist.Relay},
		{"email", "x7k2m9@marketplace.amazon.de", blocklist.Relay},
		{"email", "ada@amazon.de", ""},
		{"email", "user_9@members.ebay.com", blocklist.Relay},
		{"email", "abc@guest.airbnb.com", blocklist.Relay},
		{"email", "abc123@privaterelay.appleid.com", blocklist.Relay},
		{"email", "info@privaterelay.appleid.com", blocklist.Relay},
		{"email", "abc@sale.craigslist.org", blocklist.Relay},
		{"email", "abc@craigslist.org", ""},
		{"email", "abc@notfacebookmail.com", ""},
		{"email", "notification@FacebookMail.com.", blocklist.Relay},
		{"email", "unknown-1@sender.invalid", blocklist.Relay},
		{"email", " None@None.com", blocklist.Null},
		{"email", "", blocklist.Null},
		{"email", "null", blocklist.Null},
		{"phone", "Anonymous", blocklist.Null},
		{"phone", "+266696687", blocklist.Null},
		{"phone", "+2666 96687", ""}, // no valid number: it stays as it is written
		{"phone", "0000000", blocklist.Null},
		{"phone", "+11111111111", blocklist.Null},
		{"phone", "1234567890", blocklist.Null},
		{"phone", "12345", blocklist.Null},
		{"phone", "+493012345678", ""},
		{"phone", "110", ""},
		{"phone", "info", ""},
		{"chat", "info", ""},
		{"chat", "anonymous", ""},
	} {
		if got := blocklist.Reason(c.kind, c.address); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.kind, c.address, got, c.want)
		}
	}
	if blocklist.Version() < 1 {
		t.Errorf("version %d", blocklist.Version())
	}
}
