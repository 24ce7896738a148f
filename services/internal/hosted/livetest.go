package hosted

import (
	"context"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Checks makes the check of a channel's settings from what reads them.
func Checks[C any](read func(map[string]string) (C, error)) func(map[string]string) error {
	return func(settings map[string]string) error {
		_, err := read(settings)
		return err
	}
}

// Asks makes a live test of one step: with the inbox's settings the provider is
// asked for something harmless, such as who the account is. What it answers is
// the step's detail.
func Asks[C any](
	name string, read func(map[string]string) (C, error), ask func(ctx context.Context, inboxID string, c C) (string, error),
) func(context.Context, inbox.Inbox) []inbox.Step {
	return func(ctx context.Context, in inbox.Inbox) []inbox.Step {
		step := inbox.Step{Name: name}
		c, err := read(in.Settings)
		if err == nil {
			step.Detail, err = ask(ctx, in.ID, c)
		}
		step.Err = err
		return []inbox.Step{step}
	}
}
