package audit

import (
	"fmt"
	"slices"
	"strings"
)

// actions are all there are, in the order of entry.go.
var actions = []string{
	Login, LoginFailed, LoginLimited, Logout, ReadTimeline, ReadCustomer, ReadCustomers, ReadSearch, ReadAudit, DownloadFile,
	DownloadOriginal, ExportBackup, ExportCustomer, ExportFetched, IdentityMerge, IdentityUnmerge, IdentityMove, IdentityQualify,
	IdentityAttribute, IdentitySplit, IdentityJoin, IdentityUnjoin, SuggestionRefused, ProofStarted, ProofPassed, ProofFailed,
	ConsentSet, ReplyToRefuted, EraseOrdered, EraseCustomer, EraseRetired, HoldPlaced, HoldLifted, RightAgentAdded, RightAgentChanged,
	RightPassword, RightTokenMade, RightTokenRevoked, RightInboxSaved, RightInboxDeleted, RightInboxPaused, RightInboxResumed,
	RightInboxTested, RightInboxTestSent, ImportHistory, PoisonReplay, PoisonSkip, AlertBulkRead, LossAccepted,
}

// Actions are the names an entry can have.
func Actions() []string { return slices.Clone(actions) }

// Check says what may be asked for.
func (f Filter) Check() error {
	if f.Action == "" || slices.ContainsFunc(actions, f.action) {
		return nil
	}
	return fmt.Errorf("action: %.60q is not allowed: one of %s, or a group of them such as right", f.Action, strings.Join(actions, ", "))
}

// action says whether a is the one asked for, or of the group.
func (f Filter) action(a string) bool {
	return f.Action == "" || f.Action == a || strings.HasPrefix(a, strings.TrimSuffix(f.Action, ".")+".")
}
