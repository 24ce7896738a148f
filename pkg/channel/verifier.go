package channel

import "context"

// ScopeUnverified is the scope of an address that its Verifier refutes: the
// owner of the address says that the input is not from him. It makes the sender
// another handle than the address's own, so whoever writes in a customer's name
// becomes neither that customer nor visible in his timeline. Nothing is sent to
// such a handle unless an agent insists.
const ScopeUnverified = "unverified"

// Verifier is an add-on of a Parser for channels on which the sender's address
// is a claim that something outside of the input can confirm or refute.
//
// The hub asks after every Parse and before it decides anything. Parse stays
// pure and says what the input claims; Verify says what that is worth.
type Verifier interface {
	// Verify returns the items with the Assurance, Evidence and Flags their
	// senders deserve. It changes copies: the given items and raw are not its own,
	// and the hub may go on with them. The same items come back in the same order
	// with the same ids.
	//
	//   - A sender who is confirmed gets Assurance 2, or 3 with a returned token.
	//   - One about whom nothing can be learnt keeps at most 1.
	//   - One who is refuted gets 0, the flag unverified and ScopeUnverified in
	//     From, and loses everything by which the message could join somebody
	//     else's: Answers, AnswersFromSame, References, ClaimsHandle.
	//   - A sender without a name may get the one that the provider knows him by. It
	//     is a claim, and changes nothing of what he is worth.
	//
	// It may do I/O and ends soon after ctx does; the hub waits some seconds at
	// most and then stores the items as claims. There is no error: trouble is
	// "not verified", flagged unverified with the reason in Evidence, and never stops the
	// inputs behind this one. What a sender can cause himself (size, slowness of
	// his own servers) must not make him better than refuted.
	//
	// It is called again when an input is delivered again, perhaps years later,
	// and may answer differently then. The hub keeps the first answer that was stored.
	// Safe for concurrent use.
	Verify(ctx context.Context, raw Raw, items []Item) []Item
}
