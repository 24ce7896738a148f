// Package resolve recognises persons: it follows the log, sees what says that
// two customers are one, and by rules that are data links them, suggests it, or
// leaves it.
//
//	HandleClaimed, Moved, Assured, Qualified ─┐                    ┌─► Linked, LinkSuggested
//	HandleAsserted                            ├─► index ─► fact ─► rules ─► limits
//	MessageReceived with a proof ─────────────┘                    └─► nothing
//	Linked, HandleClaimed, HandleAssured ─► guard ─► Unlinked "guard:<limit>"
//
// It works at least once: everything it does has an id made of what it is about,
// and doing it again does nothing.
//
// The index says who owns a handle at which level, who says of which handle that
// it is his, and which addresses fold to the same. It is kept beside the read
// models and by their rules: a document is written from one stream only and
// guarded by its sequence, so it can be built again from the log. Documents of
// a batch are written before anything is decided on them. So when two facts
// meet, on two partitions at the same time, the later one sees the other.
//
// The index and its checkpoint are kept under the digest of the rules: with
// other rules the resolver goes through the whole log again, and the former
// index is dropped. What it would do anew, Simulate tells beforehand.
package resolve
