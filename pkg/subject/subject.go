// Package subject is the only place that spells or parses NATS subjects.
//
// Tokens are ids and keyed hashes only, never an address or a number.
package subject

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Stream names.
const (
	StreamOut    = "OUT"
	StreamTimers = "TIMERS"
	StreamPub    = "PUB"
	StreamPoison = "POISON"
	StreamAudit  = "AUDIT"
)

// DefaultTenant is used where none is named.
const DefaultTenant = "default"

// InStream and EvtStream name the streams of a partition: "IN-0", "EVT-0".
func InStream(p int) string  { return "IN-" + strconv.Itoa(p) }
func EvtStream(p int) string { return "EVT-" + strconv.Itoa(p) }

// Partition places a key. FNV-1a, so every language can do it.
func Partition(key string, n int) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(n))
}

// In is in.<p>.<tenant>.<channel>.<inbox>.<key>.
func In(p int, tenant, channel, inbox, key string) string {
	return fmt.Sprintf("in.%d.%s.%s.%s.%s", p, tenant, channel, inbox, key)
}

// Evt is evt.<p>.<tenant>.<stream>; stream is "customer.<id>" and the like.
func Evt(p int, tenant, stream string) string {
	return fmt.Sprintf("evt.%d.%s.%s", p, tenant, stream)
}

// Out is out.<tenant>.<channel>.<inbox>.<customer>; the customer orders.
func Out(tenant, channel, inbox, customer string) string {
	return fmt.Sprintf("out.%s.%s.%s.%s", tenant, channel, inbox, customer)
}

// Timer is timer.<tenant>.<kind>.<id>; Fired is where it goes off.
func Timer(tenant, kind, id string) string { return fmt.Sprintf("timer.%s.%s.%s", tenant, kind, id) }

func Fired(tenant, kind, id string) string { return fmt.Sprintf("fired.%s.%s.%s", tenant, kind, id) }

// Pub is weftline.v1.<tenant>.event.<noun>.<id>.<verb>, e.g. ….event.conversation.01J….message_received.
func Pub(tenant, noun, id, verb string) string {
	return fmt.Sprintf("weftline.v1.%s.event.%s.%s.%s", tenant, noun, id, verb)
}

// PubAll matches every public event of a tenant.
func PubAll(tenant string) string { return fmt.Sprintf("weftline.v1.%s.event.>", tenant) }

// Poison is poison.<source subject>.
func Poison(source string) string { return "poison." + source }

// Audit is audit.<tenant>: the order of its messages is that of the chain.
func Audit(tenant string) string { return "audit." + tenant }

// ParseEvt splits evt.<p>.<tenant>.<stream…>.
func ParseEvt(s string) (partition int, tenant, stream string, err error) {
	f := strings.SplitN(s, ".", 4)
	if len(f) != 4 || f[0] != "evt" {
		return 0, "", "", fmt.Errorf("subject %q is not an event subject", s)
	}
	p, err := strconv.Atoi(f[1])
	if err != nil {
		return 0, "", "", fmt.Errorf("subject %q: partition: %w", s, err)
	}
	return p, f[2], f[3], nil
}

// ValidToken says whether s may be one token: 1 to 64 of a-z A-Z 0-9 _ -.
func ValidToken(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return false
		}
	}
	return true
}
