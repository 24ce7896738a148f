// Package proof shows that a customer controls an address: a code, or a link,
// goes there, and comes back from him.
//
//	Start ─► challenge (state store) ─► OUT ─► the address
//	                │ open                        │ code, or the link's button
//	                ▼                             ▼
//	expired, void, failed ◄── wrong ×5 ──── Check ──► proven ──► passed
//	                                             claim, assure, link: by the log's ids, once
//
// A challenge is good once, for ten minutes (a link: thirty), for five tries,
// and while no newer one went to the same address. What must come back is kept
// as a keyed hash only. The address and what goes out are sealed under a key of
// the challenge, which is destroyed when it ends.
//
// Whoever asks learns nothing about the address: whether somebody owns it is
// looked at after it is proven, never before.
//
// Between proven and passed the process may die: Sweep, or whoever asks again,
// goes on. Every step there is one commit with an id of its own.
package proof
