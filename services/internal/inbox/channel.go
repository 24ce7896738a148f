package inbox

import (
	"context"
	"errors"
	"regexp"
	"slices"
)

// Setting describes one key of a channel's settings, for checking and for the console's form.
type Setting struct {
	Key      string
	Label    string
	Help     string
	Secret   bool
	Stays    bool // a Secret that is sent nowhere: it signs or checks here
	Required bool
	Default  string
	Values   []string // allowed values, nil for any
	Inbox    []string // it is the id of an inbox of one of these channels, nil: of none

	// What follows is for the form alone.

	Group    string            // heading it stands under; "": the first
	Advanced bool              // shown on demand
	Lines    bool              // more than one line
	Words    map[string]string // values as people read them
	When     When              // shown only then
	Called   map[string]Called // by the value of When's setting, where providers call one thing differently
}

// Called is how somebody calls a setting.
type Called struct{ Label, Help string }

// When is a condition on another setting. The zero value always holds.
type When struct {
	Key string
	Is  []string // its value is one of these
}

// Holds says whether the condition holds for settings, with their defaults filled in.
func (w When) Holds(settings map[string]string) bool {
	if w.Key == "" {
		return true
	}
	for _, v := range w.Is {
		if settings[w.Key] == v {
			return true
		}
	}
	return false
}

// Channel is what the registry needs to know of a channel to check settings,
// and what whoever adds an inbox should know.
type Channel struct {
	Name     string
	Settings []Setting
	// Check says what is wrong, naming key, value and what is allowed; errors are joined.
	Check func(settings map[string]string) error
	// Steps is the live test: it tries to connect and sends nothing. In order; those after a
	// failed one that they need are left out. Nil: there is nothing to connect to.
	Steps func(ctx context.Context, in Inbox) []Step

	About string   // one line: what the channel is
	Needs []string // what to have at hand before one begins
	// Paste is what has to be entered at the provider once the inbox is there.
	Paste []Paste
	// Recipient is whom a test message can be sent to; nil: there is no such thing.
	Recipient *Recipient
}

// Test runs the live test and says what failed.
func (c Channel) Test(ctx context.Context, in Inbox) error {
	var errs []error
	for _, s := range c.Steps(ctx, in) {
		errs = append(errs, s.Err)
	}
	return errors.Join(errs...)
}

// Asked says whether a condition holds and the setting it hangs on is asked for itself. Defaults are filled in.
func (c Channel) Asked(w When, settings map[string]string) bool {
	if !w.Holds(settings) {
		return false
	}
	i := slices.IndexFunc(c.Settings, func(s Setting) bool { return s.Key == w.Key })
	return i < 0 || c.Settings[i].When.Key == w.Key || c.Asked(c.Settings[i].When, settings)
}

// Step is one thing a live test did.
type Step struct {
	Name   string // such as "Log in to the IMAP server"
	Detail string // what was found, no secrets
	Err    error  // nil: it worked; else in the provider's words
}

// Paste is one thing to enter at the provider.
type Paste struct {
	What  string // as the provider calls it: "Callback URL"
	Where string // where at the provider
	// Key is the setting whose value it is; "": the address the provider posts to.
	Key  string
	When When
	// Tail stands behind the address the provider posts to; {key} in it is that setting's value.
	Tail string
}

// Recipient describes the address of a test message.
type Recipient struct {
	Kind  string // of the handle: email, phone …
	Label string
	Help  string
	// Form is what an address looks like, and Such one that does; nil: anything may be one.
	Form *regexp.Regexp
	Such string
	// Scoped: the address means something in its inbox alone.
	Scoped bool
}
