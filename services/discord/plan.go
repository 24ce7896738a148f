package discord

import (
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// Limits of what is sent ("Create Message", "Uploading Files"). Whether Discord counts
// characters or UTF-16 units is not said: the latter are never fewer.
const (
	maxText  = 2000
	maxParts = 10
	maxFiles = 10
	maxFile  = 10 << 20
)

// planned says why a message cannot go, or its texts: one, if only for its files, or more.
func planned(out channel.Outbound) (texts []string, no string) {
	files := out.Content.Attachments
	switch {
	case out.To.Kind != Name || !idForm.MatchString(out.To.Address):
		return nil, "the address is not a Discord user's id"
	case strings.TrimSpace(out.Content.Text) == "" && len(files) == 0:
		return nil, "the message is empty"
	case len(files) > maxFiles:
		return nil, fmt.Sprintf("%d files, at most %d go at once", len(files), maxFiles)
	}
	for _, f := range files {
		if f.Size > maxFile {
			return nil, fmt.Sprintf("the file %q has %d bytes, at most %d are allowed", f.Name, f.Size, maxFile)
		}
	}
	if strings.TrimSpace(out.Content.Text) == "" {
		return []string{""}, ""
	}
	texts = pieces(out.Content.Text)
	if len(texts) > maxParts {
		return nil, fmt.Sprintf("the text is %d messages long, at most %d are sent", len(texts), maxParts)
	}
	return texts, ""
}

// pieces are texts that fit once they are escaped.
func pieces(text string) []string {
	length := func(s string) int { return channel.UTF16Units.Length(escaped(s)) }
	for limit := maxText; ; limit -= 100 {
		all := channel.Split(text, limit, length)
		fits := true
		for _, p := range all {
			fits = fits && length(p) <= maxText // a mark at the beginning of a line counts when the line is whole
		}
		if fits || limit <= maxText/2 {
			return all
		}
	}
}
