// Package channel is the contract between Weftline and a channel adapter.
//
// An adapter does three things and knows nothing of customers or
// conversations:
//
//	provider ──► Run ──► Intake.Accept(raw)     durable first, then the provider hears 200
//	raw ──► Parser.Parse ──► []Item             pure, after it is safe; runs again after a fix
//	Outbound ──► Sender.Send ──► Receipt        one owner sends; the result is an event
//
// What a channel can carry it declares in Capabilities, and the hub keeps to it:
// nobody is offered what would not arrive. Extra powers are add-on interfaces
// found by type assertion, none of them needed:
//
//	Verifier     confirms or refutes the sender of an input
//	PartOpener   finds attachments inside a raw input
//	Fetcher      gets attachments that the provider keeps
//	Identifier   names inputs whose provider id does not last
//	Looker       asks what became of a send whose answer was lost
//	Typist       shows the customer that somebody is typing
package channel

import "context"

// Adapter is one channel.
type Adapter interface {
	Channel() string
	Capabilities() Capabilities
	Parser
	Sender
	Runner
}

// Runner receives until ctx ends. It returns only then, or on a setting it cannot work with.
type Runner interface {
	Run(ctx context.Context) error
}
