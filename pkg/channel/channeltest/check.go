package channeltest

import (
	"slices"
	"testing"
)

// Check is one thing that every adapter is asked.
type Check struct {
	Name string
	Says string // for the matrix
	run  func(*testing.T, Harness)
}

var checks = []Check{
	{"RawFirstThenAck", "stored before it is acknowledged; offered again when it was not", rawFirst},
	{"SameProviderIDIsOneMessage", "one message offered twice is one", sameProviderID},
	{"HundredAtOnceAreOne", "the same 100 times in parallel, and again seven days later, is one", hundred},
	{"ForgedIsRefused", "a wrong secret, another body, no proof: refused, nothing stored", forged},
	{"OldProofIsRefused", "a proof from outside of the window is refused", stale},
	{"TwoSecretsAreLive", "both secrets work while one replaces the other", rotation},
	{"ParseIsDeterministic", "the same bytes give the same items, right-to-left text and emoji unharmed", parseTwice},
	{"ParseTakesAnyBytes", "damaged input gives an error or sound items, never a panic", parseAny},
	{"ProviderTimeIsKept", "when it was said is what the provider says", saidAt},
	{"ChangesNameTheirMessage", "edits, deletions and reactions name the message by an id it has, also before it comes", changes},
	{"VerifyGivesTheSameItems", "a verifier changes what a sender is worth and nothing else", verifies},
	{"SendAnswers", "a receipt says whose it is and what became of it", sendAnswers},
	{"SendIsIdempotent", "sent again with the same id it is shown once", sendTwice},
	{"SendRespectsContext", "a send ends when its context does", sendCancelled},
	{"TextSurvives", "right-to-left, emoji of several code points, all planes of Unicode arrive as sent", textSurvives},
	{"TextLimitIsKept", "the longest text arrives whole; a longer one is cut between characters or refused, never torn", textLimit},
	{"RetryAfterIsObeyed", "429 holds the account back for as long as it says, and no other account", retryAfter},
	{"RefusedTokenNeedsAttention", "a refused token makes the inbox need attention, not the message fail", attention},
	{"RevokedTokenIsNoticed", "a token that is revoked makes the inbox need attention within a minute though nobody sends, what comes in is taken, and a good one ends it", revoked},
	{"LostAnswerIsUnknown", "an answer that is lost is unknown or harmless to ask for again, never silently sent twice", lostAnswer},
	{"ServerErrorIsTried", "503 is tried again, a refusal for good fails with the reason", serverError},
	{"HealthTellsInAndOut", "an inbox says when it last took in and sent", health},
}

// Checks lists them in the matrix's order.
func Checks() []Check { return slices.Clone(checks) }

func known(name string) bool {
	return slices.ContainsFunc(checks, func(c Check) bool { return c.Name == name })
}

// need fails where a harness does not wire up what a check asks and gives no reason.
func need(t *testing.T, there bool, what string) {
	t.Helper()
	if !there {
		t.Fatalf("the harness gives no %s: wire it up, or say in Without why this channel has none", what)
	}
}
