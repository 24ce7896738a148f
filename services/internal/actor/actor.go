// Package actor carries who acts through a request.
package actor

import (
	"context"
	"slices"
)

// Kinds of actors.
const (
	KindAgent      = "agent"      // a human at the console
	KindIntegrator = "integrator" // an API token
	KindSystem     = "system"     // the hub itself
)

// Actor is an authenticated caller.
type Actor struct {
	ID     string // recorded in events
	Kind   string
	Name   string
	Owner  bool
	Scopes []string // of a token: "inbox", "events"; agents have all
	From   string   // IP address of the peer that the request came from, as the edge saw it; for the audit log alone
}

// May says whether the actor has a scope.
func (a Actor) May(scope string) bool {
	return a.Kind == KindAgent || a.Kind == KindSystem || slices.Contains(a.Scopes, scope)
}

type key struct{}

// With puts the actor into the context.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, key{}, a) }

// From finds the actor; false means anonymous.
func From(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(key{}).(Actor)
	return a, ok
}
