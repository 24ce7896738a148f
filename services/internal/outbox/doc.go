// Package outbox sends: it is what every channel's target runs between the
// stream OUT and the channel's Sender, and it decides what is tried again.
//
// The rule is: never lose a message, never send after a recorded Sent, and when
// it is not known whether a message went out, say so and try at most once more.
//
//	        ┌────────────────────── due ───────────────────────┐
//	        ▼                                                  │
//	new ─► OPEN ──(send)──► temporary error ─────────────► RETRY ──(5 days)──► FAILED
//	       │ ▲  │                                          waits 30 s … 1 h, or what
//	       │ │  │                                          the provider named
//	       │ │  ├──► Receipt sent, delivered, read ──────► SENT
//	       │ │  ├──► Receipt failed ─────────────────────► FAILED
//	       │ │  └──► Receipt unknown ─┐
//	       │ │ due, Unknown set       ▼
//	       │ └──────────────────── UNKNOWN ──(second time)─► LOST
//	       └── found OPEN on (re)delivery: ─┘
//	           the process died while it sent
//
// A sender that is a channel.Looker is asked before anything in doubt is sent
// again, also when a person orders that:
//
//	UNKNOWN ─(Look, 30 s … 1 h)─┬─► it arrived, or failed ──────► SENT, FAILED
//	                 ▲          ├─► certainly none did ─────────► OPEN, with no doubt
//	                 │          └─► an error, or not known ─┬───► LOST, after 24 h of asking
//	                 └──────────────────── due ─────────────┘
//
//	SENT, FAILED, LOST: recorded, reported, acknowledged, and remembered for 30 days.
//
// Order of the durable steps. OPEN is recorded before Send, so a crash during
// Send is seen. SENT and FAILED are recorded before they are reported, and a
// record found in such a state is only reported again. RETRY and UNKNOWN are
// reported first: a crash in between leads to UNKNOWN, which is true. The
// message is acknowledged after everything else.
//
// After a restore from a backup the records may lack real sends: Fence ends
// whatever has no outcome as LOST instead of sending it.
//
// A channel whose send is idempotent needs none of the records: there a crash
// simply sends again.
//
// Messages of one customer in one inbox go out in order, one at a time; others
// do not wait for them. An inbox that is paused, removed, or without a sender (being
// reconfigured), keeps its messages: nothing is sent, no provider is asked, and
// people are told which of them it is.
package outbox
