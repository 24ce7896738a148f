package slack

import (
	"cmp"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

const unknownKind = "a Slack message without text or file"

// byID begins the Remote of a file of which Slack has not said where it is.
const byID = "id:"

// content is what a message says.
func content(ev event, bot string) channel.Content {
	c := channel.Content{Text: plain(ev.Text, bot, emojiIn(ev.Blocks))}
	for _, f := range ev.Files[:min(len(ev.Files), 50)] {
		c.Attachments = append(c.Attachments, f.attachment())
	}
	for _, s := range ev.Shares {
		words := plain(cmp.Or(s.Text, s.Fallback), "", nil)
		switch {
		case words == "" || c.Quoted != "":
		case s.Message || s.Share:
			c.Quoted = hosted.Clip(strings.TrimSpace(hosted.DisplayName(s.Author)+"\n"+words), 2000)
		case c.Text == "":
			c.Text = hosted.Clip(words, 4000)
		}
	}
	if c.Text == "" && c.Quoted != "" {
		c.Text, c.Quoted = c.Quoted, ""
	}
	if c.Text == "" && len(c.Attachments) == 0 {
		c.Unparsed = unknownKind
	}
	return c
}

// attachment is a file at Slack's, or the reason why there is none.
func (f file) attachment() channel.Attachment {
	a := channel.Attachment{Name: cmp.Or(hosted.FileName(f.Name), hosted.FileName(f.Title), "file"), ContentType: hosted.Clip(f.Type, 100), Size: max(f.Size, 0)}
	where := cmp.Or(f.Download, f.URL)
	switch {
	case f.Mode == "tombstone":
		a.Missing = "it was deleted"
	case f.Mode == "hidden_by_limit":
		a.Missing = "Slack hides it: it is older than the workspace's plan allows"
	case f.Mode == "external" || f.External:
		a.Missing = "it is not at Slack: " + hosted.Clip(f.URL, 500)
	case f.Access == "access_denied":
		a.Missing = "Slack does not let the app read it"
	case where != "" && len(where) <= 2000:
		a.Remote = where
	case idForm.MatchString(f.ID): // a shared channel's: files.info says more (file_access: check_file_info)
		a.Remote = byID + f.ID
	default:
		a.Missing = "Slack names no address of it"
	}
	return a
}
