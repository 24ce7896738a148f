// Package audit is the record of who read, downloaded, exported, changed rights
// and logged in: entries in a chain that shows when one was taken out or changed.
//
//	Record ─┐                    ┌─► AUDIT  audit.<tenant>   one message = 1..n entries
//	        ├─► queue ─► writer ─┤         entry n: hash = SHA-256(hash of n−1 ‖ its bytes)
//	RecordSync                   └─► state.db  the anchor: number and hash of the last entry
//
// Several processes write one chain: the last sequence of the subject is the
// optimistic lock. In the clear an entry holds ids alone, never a name, an
// address or a word that somebody wrote; what is no id is refused.
//
// Two things stand in it sealed, because they must be able to go, and the chain
// is over their ciphertext: the IP address, under a key of its day that is
// destroyed when the day is over for long enough; and the reason somebody gave,
// under keys of all it may speak of, so that the erasure of any takes it along.
//
// What a crash can lose: entries of Record that are younger than 100 ms (reads,
// failed logins), nothing of RecordSync. The anchor follows the chain by at most
// a second.
//
// What the chain proves: an entry that was changed, taken out or put elsewhere
// is named, and by the anchor so is an end that was cut off. Who can write both
// the stream and state.db, and computes every hash anew, is found only by a head
// that was noted elsewhere: "hub audit verify" prints one, and checks one that it is given.
package audit
