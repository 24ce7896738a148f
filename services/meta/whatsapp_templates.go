package meta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

const (
	templatesFor    = 5 * time.Minute // how long a list is good
	templatesByPage = 100
	maxTemplates    = 2000 // of one account; Meta allows 6,000 with all their languages
)

// templates keeps lists for a while: an agent who opens a composer is no reason to ask Meta.
type templates struct {
	mu sync.Mutex
	by map[string]listedTemplates // inbox and account
}

type listedTemplates struct {
	at   time.Time
	list []channel.TemplateText
}

// templatePage is GET /<WABA id>/message_templates ("Message Templates").
type templatePage struct {
	Data []struct {
		Name       string                `json:"name"`
		Language   string                `json:"language"`
		Status     string                `json:"status"`
		Category   string                `json:"category"`
		Format     string                `json:"parameter_format"` // POSITIONAL, NAMED
		Components []waTemplateComponent `json:"components"`
	} `json:"data"`
	Paging struct {
		Cursors struct {
			After string `json:"after"`
		} `json:"cursors"`
		Next string `json:"next"` // an address; it is not followed, its cursor is used
	} `json:"paging"`
}

type waTemplateComponent struct {
	Type    string `json:"type"`   // HEADER, BODY, FOOTER, BUTTONS …
	Format  string `json:"format"` // of a HEADER: TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION
	Text    string `json:"text"`
	Example struct {
		Body [][]string `json:"body_text"`
	} `json:"example"`
	Buttons []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"buttons"`
}

func (p *platform) templatePage(ctx context.Context, inboxID string, c config, after string, limit int, page *templatePage) error {
	q := url.Values{"fields": {"name,language,status,category,parameter_format,components"}, "limit": {strconv.Itoa(limit)}}
	if after != "" {
		q.Set("after", after)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(c.business+"/message_templates", q), nil)
	if err != nil {
		return hosted.Scrub(err)
	}
	return p.do(inboxID, c, r, page)
}

// Templates lists what Meta has approved, of at most five minutes ago.
func (a *WhatsAppAdapter) Templates(ctx context.Context, inboxID string) ([]channel.TemplateText, error) {
	c, err := a.sending(inboxID)
	if err != nil {
		return nil, err
	}
	if c.business == "" {
		return nil, fmt.Errorf("%w: the inbox's setting %s (WhatsApp Business Account ID) is missing", channel.ErrNoTemplates, keyBusiness)
	}
	key := inboxID + "/" + c.business
	a.listed.mu.Lock()
	defer a.listed.mu.Unlock() // one question at a time; those who wait get its answer
	if l, ok := a.listed.by[key]; ok && a.now().Sub(l.at) < templatesFor {
		return l.list, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	list, err := a.askTemplates(ctx, inboxID, c)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	if a.listed.by == nil {
		a.listed.by = map[string]listedTemplates{}
	}
	a.listed.by[key] = listedTemplates{a.now(), list}
	return list, nil
}

func (a *WhatsAppAdapter) askTemplates(ctx context.Context, inboxID string, c config) (list []channel.TemplateText, err error) {
	after := ""
	for len(list) < maxTemplates {
		var page templatePage
		if err := a.templatePage(ctx, inboxID, c, after, templatesByPage, &page); err != nil {
			return nil, err
		}
		for _, t := range page.Data {
			if t.Status == "APPROVED" && t.Name != "" {
				list = append(list, readTemplate(t.Name, t.Language, t.Category, t.Format, t.Components))
			}
		}
		next := page.Paging.Cursors.After
		if page.Paging.Next == "" || next == "" || next == after {
			break
		}
		after = next
	}
	return list, nil
}

var hole = regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`)

func readTemplate(name, language, category, format string, components []waTemplateComponent) channel.TemplateText {
	t := channel.TemplateText{
		Name: hosted.Clip(name, 200), Language: strings.ReplaceAll(hosted.Clip(language, 20), "_", "-"), Category: strings.ToLower(hosted.Clip(category, 40)),
	}
	no := func(why string) {
		if t.Unusable == "" {
			t.Unusable = why
		}
	}
	if format == "NAMED" {
		no("its places have names, which the hub does not fill in")
	}
	for _, c := range components {
		switch strings.ToUpper(c.Type) {
		case "BODY":
			t.Body = hosted.Clip(c.Text, 4096)
			if len(c.Example.Body) > 0 {
				t.Examples = c.Example.Body[0]
			}
			for _, m := range hole.FindAllStringSubmatch(c.Text, -1) {
				n, err := strconv.Atoi(m[1])
				if err != nil || n < 1 || n > 50 {
					no("its places have names, which the hub does not fill in")
					continue
				}
				t.Places = max(t.Places, n)
			}
		case "HEADER":
			switch f := strings.ToUpper(c.Format); {
			case f != "TEXT" && f != "":
				no("its head is a file or a place (" + strings.ToLower(hosted.Clip(f, 20)) + "), which the hub does not fill in")
			case hole.MatchString(c.Text):
				no("its head has a place, which the hub does not fill in")
			}
			t.Header = hosted.Clip(c.Text, 200)
		case "FOOTER":
			t.Footer = hosted.Clip(c.Text, 200)
		case "BUTTONS":
			for _, b := range c.Buttons {
				if kind := strings.ToUpper(b.Type); kind == "COPY_CODE" || kind == "OTP" || kind == "FLOW" || kind == "CATALOG" || kind == "MPM" || hole.MatchString(b.URL) {
					no("one of its buttons has a place, which the hub does not fill in")
				}
			}
		default:
			no("it has a part the hub does not fill in (" + strings.ToLower(hosted.Clip(c.Type, 30)) + ")")
		}
	}
	return t
}
