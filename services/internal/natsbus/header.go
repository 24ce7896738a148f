package natsbus

import (
	"strconv"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
)

// Metadata that a Subscriber adds to what the message's own headers say.
// Messages published with these keys lose them.
const (
	MetaStream  = "Wl-Stream"  // "IN-2"
	MetaSeq     = "Wl-Seq"     // sequence in the stream, decimal
	MetaSubject = "Wl-Subject" // the subject it came on
	MetaAttempt = "Wl-Attempt" // from 1, in this process
	MetaStored  = "Wl-Stored"  // when the stream stored it, RFC 3339 with nanoseconds
)

// Headers of a message in POISON, next to its own.
const (
	PoisonReason   = "Wl-Poison-Reason"
	PoisonAttempts = "Wl-Poison-Attempts"
	PoisonConsumer = "Wl-Poison-Consumer"
	PoisonStream   = "Wl-Poison-Stream"
	PoisonSeq      = "Wl-Poison-Seq"
	PoisonTime     = "Wl-Poison-Time"
	// PoisonMsgID keeps the message's own Nats-Msg-Id.
	PoisonMsgID = "Wl-Poison-Msg-Id"
)

// ReplayOf is a header of a message that was put back from POISON: the
// reference of the original in IN ("in/2/17").
const ReplayOf = "Wl-Replay-Of"

// added says whether a header is the bus's own, and not the message's.
func added(key string) bool {
	switch key {
	case MetaStream, MetaSeq, MetaSubject, MetaAttempt, MetaStored:
		return true
	}
	return strings.HasPrefix(key, "Wl-Poison-")
}

// OwnHeader copies the headers a message was published with: without those of
// the bus, and without JetStream's (id, expectations, schedules), which speak
// of one publication only.
func OwnHeader(h nats.Header) nats.Header {
	own := make(nats.Header, len(h))
	for k, v := range h {
		if !added(k) && !strings.HasPrefix(k, "Nats-") {
			own[k] = v
		}
	}
	return own
}

// metadata is what the handler sees.
func metadata(d *delivery) message.Metadata {
	m := make(message.Metadata, len(d.header)+5)
	for k, v := range d.header {
		if len(v) > 0 {
			m[k] = v[0]
		}
	}
	m[MetaStream] = d.id.stream
	m[MetaSeq] = strconv.FormatUint(d.id.seq, 10)
	m[MetaSubject] = d.subject
	m[MetaAttempt] = strconv.Itoa(d.attempts + 1)
	m[MetaStored] = d.stored.UTC().Format("2006-01-02T15:04:05.999999999Z07:00")
	return m
}
