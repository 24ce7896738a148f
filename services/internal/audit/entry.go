package audit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/actor"
)

// Actions. The part before the dot groups them; names stay for ever.
const (
	Login             = "login"
	LoginFailed       = "login.failed"
	LoginLimited      = "login.limited" // refused unseen, because there were too many
	Logout            = "logout"
	ReadTimeline      = "read.timeline"
	ReadCustomer      = "read.customer"
	ReadCustomers     = "read.customers" // a page of the list
	ReadSearch        = "read.search"
	ReadAudit         = "read.audit"
	DownloadFile      = "download.attachment"
	DownloadOriginal  = "download.original"
	ExportBackup      = "export.backup"
	ExportCustomer    = "export.customer"
	ExportFetched     = "export.fetched"
	IdentityMerge     = "identity.merge"
	IdentityUnmerge   = "identity.unmerge"
	IdentityMove      = "identity.move"
	IdentityQualify   = "identity.qualify"
	IdentityAttribute = "identity.attribute"
	IdentitySplit     = "identity.split"
	IdentityJoin      = "identity.join"
	IdentityUnjoin    = "identity.unjoin"
	SuggestionRefused = "identity.suggestion_refused"
	ProofStarted      = "identity.proof_started"
	ProofPassed       = "identity.proof_passed"
	ProofFailed       = "identity.proof_failed" // a wrong code, or one that is over
	ConsentSet        = "customer.consent_set"
	ReplyToRefuted    = "reply.to_refuted" // an answer to a sender who does not own the address
	EraseOrdered      = "erase.ordered"
	EraseCustomer     = "erase.customer" // it is done
	EraseRetired      = "erase.retired"  // by a retention policy
	HoldPlaced        = "erase.hold_placed"
	HoldLifted        = "erase.hold_lifted"
	RightAgentAdded   = "right.agent_added"
	RightAgentChanged = "right.agent_changed"
	RightPassword     = "right.password_changed"
	RightTokenMade    = "right.token_made"
	RightTokenRevoked = "right.token_revoked"
	RightInboxSaved   = "right.inbox_saved"
	RightInboxDeleted = "right.inbox_deleted"
	RightInboxPaused  = "right.inbox_paused"
	RightInboxResumed = "right.inbox_resumed"
	// Settings were tried, which connects to what they name with the secrets given or stored.
	RightInboxTested = "right.inbox_tested"
	// A test message was sent from the settings, or refused; to whom is not kept.
	RightInboxTestSent = "right.inbox_test_sent"
	ImportHistory      = "import.history"
	PoisonReplay       = "poison.replay"
	PoisonSkip         = "poison.skip"
	AlertBulkRead      = "alert.bulk_read"
	// An operator went on without the end of a partition of the event log, which was lost.
	LossAccepted = "log.loss_accepted"
)

// Outcomes.
const (
	OutcomeOK      = "ok"
	OutcomeRefused = "refused" // Reason says why
	OutcomeFailed  = "failed"  // on our side; whether something was done is not known
)

// Entry is one thing somebody did or tried. What is left empty is filled in from
// the context: the time, and who acts from where (actor.From).
type Entry struct {
	At           time.Time `json:"at"`
	Actor        string    `json:"actor,omitempty"` // id; empty: nobody we know
	Kind         string    `json:"kind"`            // of the actor: agent, integrator, operator, system, customer, anonymous
	Action       string    `json:"action"`
	Customer     string    `json:"customer,omitempty"`
	Conversation string    `json:"conversation,omitempty"`
	Object       string    `json:"object,omitempty"` // a timeline entry, a file, a token, an agent
	// From is the IP address of the peer, as the hub sees it. It is stored sealed,
	// for as long as Config.AddressDays; entries of hubs before that have it plain.
	From    string            `json:"from,omitempty"`
	Outcome string            `json:"outcome"`
	Reason  string            `json:"reason,omitempty"` // a code, such as permission_denied
	IDs     map[string]string `json:"ids,omitempty"`    // further ids, counts and codes

	// Why is what somebody wrote as his reason: at most 2,000 bytes. It is stored
	// sealed under every key of WhyKeys, the data keys of whom it may speak of:
	// when one of them is destroyed it cannot be read, and the chain is as it was.
	// Without keys, or when one is destroyed already, it is not stored.
	Why     string   `json:"-"`
	WhyKeys []string `json:"-"`

	parts parts
}

// Operator is who gives commands on the machine itself.
func Operator() actor.Actor { return actor.Actor{ID: KindOperator, Kind: KindOperator} }

// Kinds beyond those of package actor.
const (
	KindOperator  = "operator"
	KindAnonymous = "anonymous"
)

// Bounds of an entry's further ids and of its words.
const (
	maxIDs = 12
	maxWhy = 2000
)

var (
	actionRE = regexp.MustCompile(`^[a-z][a-z_]*(\.[a-z][a-z_]*)?$`)
	// An id has no @, no + and no space: neither an address nor a number nor a text passes.
	idRE   = regexp.MustCompile(`^[A-Za-z0-9_:./=,-]{1,200}$`)
	keyRE  = regexp.MustCompile(`^[a-z][a-z_]{0,31}$`)
	fromRE = regexp.MustCompile(`^[0-9a-fA-F.:]{1,45}(%[A-Za-z0-9._-]{1,32})?$`)
)

// ID is s when it may stand in an entry, else nothing: for what a caller gave.
func ID(s string) string {
	if idRE.MatchString(s) {
		return s
	}
	return ""
}

// complete fills in what the context knows.
func complete(ctx context.Context, e Entry, now time.Time) Entry {
	if e.At.IsZero() {
		e.At = now
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	who, known := actor.From(ctx)
	if known && e.Actor == "" && e.Kind == "" {
		e.Actor, e.Kind = who.ID, who.Kind
	}
	if known && e.From == "" {
		e.From = who.From
	}
	if e.Kind == "" {
		e.Kind = KindAnonymous
	}
	if e.Outcome == "" {
		e.Outcome = OutcomeOK
	}
	return e
}

// check refuses what is no id: what stands plain in an entry is for ever and cannot be erased.
func (e Entry) check() error {
	var errs []error
	for _, f := range []struct {
		name, value string
		re          *regexp.Regexp
	}{
		{"actor", e.Actor, idRE},
		{"kind", e.Kind, keyRE},
		{"customer", e.Customer, idRE},
		{"conversation", e.Conversation, idRE},
		{"object", e.Object, idRE},
		{"from", e.From, fromRE},
		{"outcome", e.Outcome, keyRE},
		{"reason", e.Reason, keyRE},
	} {
		if f.value != "" && !f.re.MatchString(f.value) {
			errs = append(errs, fmt.Errorf("%s does not match %s", f.name, f.re))
		}
	}
	if !actionRE.MatchString(e.Action) {
		errs = append(errs, fmt.Errorf("action %q does not match %s", e.Action, actionRE))
	}
	if len(e.Why) > maxWhy || !utf8.ValidString(e.Why) {
		errs = append(errs, fmt.Errorf("why: want at most %d bytes of UTF-8", maxWhy))
	}
	if len(e.IDs) > maxIDs {
		errs = append(errs, fmt.Errorf("ids: %d are given, allowed are %d", len(e.IDs), maxIDs))
	}
	for k, v := range e.IDs {
		if !keyRE.MatchString(k) || !idRE.MatchString(v) {
			errs = append(errs, fmt.Errorf("ids: %q or its value is not an id", k))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("audit entry: %w", errors.Join(errs...))
	}
	return nil
}
