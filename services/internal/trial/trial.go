// Package trial names test messages: what the hub sends to see whether an inbox
// can send. They belong to no customer, so what a provider reports of them goes nowhere.
package trial

import (
	"crypto/rand"
	"strings"
)

const prefix = "trial-"

// New is the outbound id of a test message.
func New() string { return prefix + rand.Text() }

// Is says whether an outbound id is that of a test message.
func Is(outbound string) bool { return strings.HasPrefix(outbound, prefix) }
