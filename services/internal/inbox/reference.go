package inbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Refers checks the settings that are the ids of other inboxes: find gives the
// channel of one, "" where that cannot be known, false where it is not there.
func (c Channel) Refers(settings map[string]string, find func(id string) (channel string, there bool)) error {
	var errs []error
	for _, s := range c.Settings {
		id := strings.TrimSpace(settings[s.Key])
		if len(s.Inbox) == 0 || id == "" {
			continue
		}
		of := strings.Join(s.Inbox, " or ")
		switch channel, there := find(id); {
		case !there:
			errs = append(errs, fmt.Errorf("%s: there is no inbox %q; it must be the id of one of channel %s", s.Key, id, of))
		case channel != "" && !slices.Contains(s.Inbox, channel):
			errs = append(errs, fmt.Errorf("%s: inbox %q is of channel %s; it must be the id of one of channel %s", s.Key, id, channel, of))
		}
	}
	return errors.Join(errs...)
}

// Find is for Refers: it gives the channel of an inbox that a registry knows.
func Find(r interface{ Get(id string) (Inbox, bool) }) func(id string) (string, bool) {
	return func(id string) (string, bool) {
		in, ok := r.Get(id)
		return in.Channel, ok
	}
}
