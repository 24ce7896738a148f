package meta

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// waSend is a message that goes out ("Messages").
type waSend struct {
	Product   string      `json:"messaging_product"`
	Type      string      `json:"recipient_type"`
	To        string      `json:"to,omitempty"`        // a number
	Recipient string      `json:"recipient,omitempty"` // a BSUID
	Context   *waContext  `json:"context,omitempty"`
	Kind      string      `json:"type"`
	Text      *waText     `json:"text,omitempty"`
	Template  *waTemplate `json:"template,omitempty"`
	Image     *waSendFile `json:"image,omitempty"`
	Video     *waSendFile `json:"video,omitempty"`
	Audio     *waSendFile `json:"audio,omitempty"`
	Document  *waSendFile `json:"document,omitempty"`
	Mark      string      `json:"biz_opaque_callback_data,omitempty"`
}

type waContext struct {
	ID string `json:"message_id"`
}

type waText struct {
	Body    string `json:"body"`
	Preview bool   `json:"preview_url"`
}

type waTemplate struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []waComponent `json:"components,omitempty"`
}

type waComponent struct {
	Type       string        `json:"type"`
	Parameters []waParameter `json:"parameters"`
}

type waParameter struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type waSendFile struct {
	ID       string `json:"id"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// Send sends a template, or texts and then files; one text that fits goes as the caption of the first file.
func (a *WhatsAppAdapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	plan, refusal := plannedWhatsApp(out)
	if refusal != "" {
		return hosted.Failed(out, a.now(), refusal)
	}
	n := plan.steps()
	ids, err := a.steps.Send(ctx, out, n, func(ctx context.Context, i int) (string, error) {
		m := plan.base
		m.Mark = a.mark(out.Inbox, out.ID, i, n)
		if i > 0 {
			m.Context = nil
		}
		switch {
		case out.Template != nil:
			m.Kind, m.Template = "template", template(out.Template)
		case i < len(plan.texts):
			m.Kind, m.Text = "text", &waText{Body: plan.texts[i], Preview: true}
		default:
			file := i - len(plan.texts)
			caption := ""
			if file == 0 {
				caption = plan.caption
			}
			if err := a.attach(ctx, out.Inbox, c, &m, out.Content.Attachments[file], caption); err != nil {
				return "", err
			}
		}
		return a.sendOne(ctx, out.Inbox, c, m)
	})
	if err == nil {
		a.caller.Sent(out.Inbox)
		a.markRead(ctx, out, c)
	}
	return hosted.Ended(out, a.now(), ids, n, err)
}

func (a *WhatsAppAdapter) sendOne(ctx context.Context, inboxID string, c config, m waSend) (string, error) {
	var sent struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := a.post(ctx, inboxID, c, c.account+"/messages", m, &sent); err != nil {
		return "", err
	}
	if len(sent.Messages) == 0 || sent.Messages[0].ID == "" {
		return "", fmt.Errorf("%w: WhatsApp names no id", hosted.ErrUnknown)
	}
	return sent.Messages[0].ID, nil
}

// Look finds a send whose answer was lost among the statuses that came since.
func (a *WhatsAppAdapter) Look(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	plan, refusal := plannedWhatsApp(out)
	if refusal != "" {
		return hosted.Failed(out, a.now(), refusal)
	}
	return a.look(ctx, out, plan.steps())
}

// markRead shows the blue ticks for what was answered. Nothing depends on it.
func (a *WhatsAppAdapter) markRead(ctx context.Context, out channel.Outbound, c config) {
	if !c.markRead || !strings.HasPrefix(out.InReplyTo, "wamid.") {
		return
	}
	err := a.post(ctx, out.Inbox, c, c.account+"/messages", map[string]string{
		"messaging_product": "whatsapp", "status": "read", "message_id": out.InReplyTo,
	}, nil)
	if err != nil && ctx.Err() == nil {
		a.log.Warn("a message could not be marked as read", "channel", WhatsApp, "inbox", out.Inbox, "error", err)
	}
}

type whatsAppPlan struct {
	base    waSend
	texts   []string
	caption string
	files   int
}

func (p whatsAppPlan) steps() int { return max(len(p.texts)+p.files, 1) }

// plannedWhatsApp says why a message cannot go, or how it does.
func plannedWhatsApp(out channel.Outbound) (p whatsAppPlan, refusal string) {
	p.base = waSend{Product: "whatsapp", Type: "individual"}
	switch {
	case out.To.Kind == WhatsApp && out.To.Address != "":
		p.base.Recipient = out.To.Address
	case out.To.Kind == kindPhone && number(out.To.Address) != "":
		p.base.To = strings.TrimPrefix(number(out.To.Address), "+")
	default:
		return p, "the address is neither a phone number nor a WhatsApp user"
	}
	if strings.HasPrefix(out.InReplyTo, "wamid.") {
		p.base.Context = &waContext{out.InReplyTo}
	}
	if out.Template != nil {
		return p, ""
	}
	text := out.Content.Text
	p.files = len(out.Content.Attachments)
	if strings.TrimSpace(text) == "" && p.files == 0 {
		return p, "the message is empty"
	}
	for _, f := range out.Content.Attachments {
		if f.Size > maxDocument {
			return p, fmt.Sprintf("the file %q has %d bytes, at most %d are allowed", f.Name, f.Size, maxDocument)
		}
	}
	if p.files > 0 && channel.Characters.Length(text) <= maxWhatsAppCaption && waFileKind(out.Content.Attachments[0]) != "audio" {
		p.caption = text
	} else if strings.TrimSpace(text) != "" {
		p.texts = channel.Split(text, maxWhatsAppText, channel.Characters.Length)
	}
	if n := p.steps(); n > maxWhatsAppParts+1 || len(p.texts) > maxWhatsAppParts {
		return p, fmt.Sprintf("it is %d messages long, at most %d are sent", n, maxWhatsAppParts)
	}
	return p, ""
}

func template(t *channel.Template) *waTemplate {
	w := &waTemplate{Name: t.Name}
	w.Language.Code = strings.ReplaceAll(cmp.Or(t.Language, "en"), "-", "_")
	if len(t.Values) > 0 {
		c := waComponent{Type: "body"}
		for _, v := range t.Values {
			c.Parameters = append(c.Parameters, waParameter{"text", v})
		}
		w.Components = []waComponent{c}
	}
	return w
}
