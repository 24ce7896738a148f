package export

import (
	"context"
	_ "embed"
	"html/template"
	"strings"

	"github.com/microcosm-cc/bluemonday"

	"github.com/weftline/weftline/pkg/channel"
)

//go:embed page.html
var pageHTML string

// tmpl escapes everything by where it stands.
var tmpl = template.Must(template.New("page").Parse(pageHTML))

// bare leaves the words of HTML alone.
var bare = bluemonday.StrictPolicy()

// shown is a line as the page has it.
type shown struct {
	line
	Class string
	Words string
	Facts []fact
}

// page writes index.html: for reading, without scripts, fetching nothing.
func (a *archive) page(ctx context.Context, all []*exported) error {
	w, done, err := a.create("index.html")
	if err != nil {
		return err
	}
	if err := tmpl.ExecuteTemplate(w, "head", map[string]any{"At": a.at, "Format": Format}); err != nil {
		return err
	}
	for _, s := range all {
		c, err := a.s.who(ctx, s)
		if err != nil {
			return err
		}
		if err := tmpl.ExecuteTemplate(w, "customer", c); err != nil {
			return err
		}
		again := newExported(s.est)
		err = a.s.lines(ctx, again, func(l line, body channel.Content, raw string) error {
			(&archive{}).attach(&l, body, raw) // names only: the files are in already
			sh := shown{line: l, Words: l.Text}
			switch l.Kind {
			case "conversation.message_received":
				sh.Class = "in"
			case "conversation.reply_requested":
				sh.Class = "out"
			case "conversation.note_added":
				sh.Class = "note"
			default:
				sh.Class = "act"
			}
			if sh.Words == "" && l.HTML != "" {
				sh.Words = strings.TrimSpace(bare.Sanitize(l.HTML))
			}
			if sh.Facts, err = facts(l.Data); err != nil {
				return err
			}
			return tmpl.ExecuteTemplate(w, "line", sh)
		})
		if err != nil {
			return err
		}
	}
	if err := tmpl.ExecuteTemplate(w, "foot", nil); err != nil {
		return err
	}
	done()
	return nil
}
