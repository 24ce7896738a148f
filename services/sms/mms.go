package sms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handout"
	"github.com/weftline/weftline/services/internal/hosted"
)

// mms is what an HTTP provider takes of pictures and other files. It fetches
// them from addresses that we hand out.
type mms struct {
	files int      // of a message
	each  int64    // bytes of a file
	all   int64    // bytes of all files
	text  int      // characters beside them
	types []string // of handout.Types
}

var pictures = []string{"image/jpeg", "image/png", "image/gif"}

// media are the limits of the providers' documentation, as docs/quirks/sms.md says.
var media = map[string]mms{
	providerTwilio:      {10, 5 << 20, 5 << 20, 1600, append(slices.Clone(pictures), "video/mp4", "video/3gpp", "audio/mpeg", "audio/mp4", "audio/amr", "text/vcard", "application/pdf")},
	providerTelnyx:      {10, 1 << 20, 1 << 20, 1600, append(slices.Clone(pictures), "video/mp4", "video/3gpp", "audio/mpeg", "audio/mp4", "audio/amr", "text/vcard")},
	providerMessageBird: {10, 1 << 20, 1 << 20, 1600, append(slices.Clone(pictures), "video/mp4", "video/3gpp", "audio/mpeg", "audio/amr", "text/vcard", "application/pdf")},
	providerPlivo:       {10, 2 << 20, 5 << 20, 1600, append(slices.Clone(pictures), "video/mp4", "video/3gpp", "audio/mpeg", "audio/mp4", "audio/amr", "text/vcard", "application/pdf")},
	providerVonage:      {1, 600 << 10, 600 << 10, 1600, append(slices.Clone(pictures), "video/mp4", "audio/mpeg", "text/vcard")},
}

// CapabilitiesOf are those of an inbox: files go out where its provider takes
// them and can fetch them from the hub's public address.
func (a *Adapter) CapabilitiesOf(id string) channel.Capabilities {
	can := a.Capabilities()
	in, ok := a.deps.Inboxes.Get(id)
	if !ok || in.Channel != Name {
		return can
	}
	m, takes := media[strings.TrimSpace(in.Settings[keyProvider])]
	if !takes || a.whyNoFiles(in.Settings[keyNumber]) != "" {
		return can
	}
	can.Attachments, can.AttachmentsPerMessage, can.AttachmentLimit, can.AttachmentTypes = true, m.files, m.each, m.types
	return can
}

// whyNoFiles says why no file goes out from a number; "": one may.
func (a *Adapter) whyNoFiles(number string) string {
	switch {
	case !strings.HasPrefix(a.deps.PublicURL, "https://") || a.deps.Blobs == nil || a.deps.Keys == nil:
		return "providers fetch files from the hub, which has no public_url with https"
	case strings.ContainsFunc(strings.TrimSpace(number), func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }) && !twilioService(number):
		return "a sender's name carries no files, a number is needed"
	}
	return ""
}

// twilioService says whether a sender is a messaging service of Twilio's.
func twilioService(number string) bool {
	number = strings.TrimSpace(number)
	return strings.HasPrefix(number, "MG") && len(number) == 34
}

// refuseFiles says why the files of a message cannot be sent, with field and limit; "": they can.
func (a *Adapter) refuseFiles(c config, out channel.Outbound) string {
	files := out.Content.Attachments
	m, takes := media[c.provider]
	if !takes {
		return "attachments: must be empty, " + c.provider + " carries none"
	}
	if why := a.whyNoFiles(c.number); why != "" {
		return "attachments: must be empty: " + why
	}
	if len(files) > m.files {
		return fmt.Sprintf("attachments: must be at most %d by %s, are %d", m.files, c.provider, len(files))
	}
	if n := channel.Characters.Length(out.Content.Text); n > m.text {
		return fmt.Sprintf("text: must have at most %d characters beside files, has %d", m.text, n)
	}
	var all int64
	for i, f := range files {
		all += f.Size
		switch {
		case f.Size > m.each:
			return fmt.Sprintf("attachments[%d]: must have at most %d bytes by %s, has %d", i, m.each, c.provider, f.Size)
		case !slices.Contains(m.types, f.ContentType):
			return fmt.Sprintf("attachments[%d]: must be one of %s by %s, is %s", i, strings.Join(m.types, ", "), c.provider, clip(f.ContentType, 100))
		case f.Blob == "":
			return fmt.Sprintf("attachments[%d]: is not there any more", i)
		}
	}
	if all > m.all {
		return fmt.Sprintf("attachments: must have at most %d bytes together by %s, have %d", m.all, c.provider, all)
	}
	return ""
}

// handedOut are addresses of a message's files, for the provider to fetch.
func (a *Adapter) handedOut(out channel.Outbound) []string {
	var list []string
	for _, f := range out.Content.Attachments {
		path := a.desk.Path(hosted.HookPath(Name, out.Inbox)+"/media", handout.File{Blob: f.Blob, Type: f.ContentType})
		list = append(list, a.deps.PublicURL+path)
	}
	return list
}
