package event

import "github.com/weftline/weftline/services/internal/crypt"

// CustomerErased is the fence of an erasure: nothing gets in any more. It is
// written on an empty stream too. Commit id: erase:<customer>.
type CustomerErased struct {
	EraseID string `json:"erase_id"`
}

// ErasureDone: the keys are destroyed and what derived from them is gone.
// Commit id: erased:<customer>. What derives to him later is destroyed too.
type ErasureDone struct {
	EraseID string `json:"erase_id"`
	// Kept are units stored in this stream that belong to somebody else: their
	// commits stay, everything else before this one may be gone.
	Kept []string `json:"kept,omitempty"`
}

// HoldPlaced forbids erasure and retention until it is lifted.
type HoldPlaced struct {
	Hold   string       `json:"hold"`
	Reason crypt.Sealed `json:"reason"` // plain UTF-8, under CustomerKey
}

// HoldLifted ends one.
type HoldLifted struct {
	Hold string `json:"hold"`
}

// ConversationRetired: retention has destroyed the keys of these units. Commit id: retire:<conversation>:<policy>.
type ConversationRetired struct {
	Conversation string   `json:"conversation"`
	Units        []string `json:"units"`
	Policy       string   `json:"policy"` // inbox and age it was kept for: "support/730d"
}
