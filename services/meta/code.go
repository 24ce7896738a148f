package meta

import (
	"fmt"

	"github.com/weftline/weftline/services/internal/hosted"
)

// throttled: the account has called or sent too often.
var throttled = map[int]bool{4: true, 17: true, 32: true, 613: true, 80006: true, 80007: true, 130429: true, 131048: true, 133016: true}

// passing: nothing was done, and it may work in a while.
var passing = map[int]bool{1: true, 2: true, 131000: true, 131016: true, 131057: true, 133004: true}

// mend: a person has to do something at Meta.
var mend = map[int]bool{3: true, 368: true, 131005: true, 131031: true, 131042: true, 131045: true, 133010: true}

// inWords are codes that agents meet.
var inWords = map[int]string{
	190:    "the access token is not valid any more",
	102:    "the access token's session has ended",
	368:    "Meta has blocked the account for violating its policies",
	551:    "the customer cannot be reached now: he has left, or does not want messages",
	131008: "a value is missing that WhatsApp needs",
	131009: "WhatsApp does not accept a value of the message",
	131021: "sender and receiver are the same number",
	131026: "WhatsApp cannot deliver it: the number is not on WhatsApp, its app is too old, or its owner has not accepted the terms",
	131031: "the WhatsApp business account is locked",
	131042: "the WhatsApp business account has no valid means of payment",
	131045: "the number is not registered as it must be (certificate)",
	131047: "more than 24 hours have passed since the customer last wrote: only a template reaches him",
	131049: "WhatsApp has chosen not to deliver this marketing message",
	131050: "the customer does not want marketing messages",
	131051: "WhatsApp does not know this type of message",
	131052: "the file could not be downloaded by WhatsApp",
	131053: "WhatsApp does not accept the file: its type or size",
	132000: "the template has another number of values",
	132001: "there is no such template in this language, or it is not approved",
	132005: "the text with its values is too long for the template",
	132007: "the template violates a policy",
	132012: "a value does not have the form that the template asks for",
	132015: "the template is paused: customers disliked it",
	132016: "the template is disabled",
	133010: "the phone number is not registered with the Cloud API",
}

// outsideWindow: the customer has not written for too long.
func outsideWindow(code, subcode int) bool {
	return code == 10 && (subcode == 2018278 || subcode == 2018065 || subcode == 2534022)
}

// words are what an agent reads of an error.
func words(code, subcode int, message, details string) string {
	switch {
	case outsideWindow(code, subcode):
		return "more than 24 hours have passed since the customer last wrote"
	case subcode == 2018001:
		return "there is no such customer on this page"
	case subcode == 1545041:
		return "the customer does not receive messages of this page"
	case code == 10 || code == 3 || code >= 200 && code <= 219:
		return fmt.Sprintf("the access token lacks a permission (code %d)", code)
	}
	if w, ok := inWords[code]; ok {
		return fmt.Sprintf("%s (code %d)", w, code)
	}
	if details != "" {
		message = details
	}
	if message == "" {
		return fmt.Sprintf("Meta refuses it (code %d)", code)
	}
	return fmt.Sprintf("Meta refuses it (code %d: %s)", code, hosted.Clip(message, 300))
}
