package sms

import (
	"context"
	"fmt"
	"mime"
	"net/http"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// contentType of stored inputs, with parameters: which provider's it is, and
// what Parse needs besides the body.
const contentType = "application/vnd.weftline.sms"

// provider is an HTTP provider.
type provider interface {
	// admit says whether a request is the provider's; hosted.ErrRefused otherwise.
	admit(c config, r *hosted.Request) error
	// split names the inputs of a request. The caller adds content type and peek.
	split(r *hosted.Request) []input
	// parse reads one input. It is pure.
	parse(raw channel.Raw, with params) ([]channel.Item, error)
	// send gives a message to the provider and returns its id there. A
	// *refusedError ends the matter; other errors as hosted.Caller gives them.
	send(ctx context.Context, a *Adapter, c config, out channel.Outbound) (string, error)
	// probe is a harmless call that needs the credentials.
	probe(ctx context.Context, c config) (*http.Request, error)
	// media says whether an address is one the provider keeps files at, and
	// whether our credentials go along.
	media(c config, address string) (ours, login bool)
	authorise(c config, r *http.Request)
}

var providers = map[string]provider{
	providerTwilio: twilio{}, providerTelnyx: telnyx{}, providerVonage: vonage{}, providerMessageBird: messagebird{}, providerPlivo: plivo{},
}

// input is one of a request: its id, its sender where a look finds one, and
// what Parse needs besides the body.
type input struct {
	id       string
	from     string
	outbound string // of a receipt
	body     []byte // nil: the request's
}

// params are the parameters of a stored input's content type.
type params struct {
	provider, region, outbound string
}

func (a *Adapter) admit(in inbox.Inbox, r *hosted.Request) error {
	c, err := readConfig(in.Settings)
	if err != nil {
		return fmt.Errorf("%w: the inbox's settings are wrong", hosted.ErrRefused)
	}
	p, ok := providers[c.provider]
	if !ok {
		return fmt.Errorf("%w: provider %s posts nothing", hosted.ErrRefused, c.provider)
	}
	return p.admit(c, r)
}

func (a *Adapter) split(in inbox.Inbox, r *hosted.Request) (inputs []channel.Raw) {
	c, err := readConfig(in.Settings)
	if err != nil { // they were right a moment ago
		return []channel.Raw{hosted.Whole(r)}
	}
	for _, i := range providers[c.provider].split(r) {
		with := map[string]string{"provider": c.provider, "region": c.numbers.Region}
		if i.outbound != "" {
			with["outbound"] = i.outbound
		}
		raw := channel.Raw{ProviderID: clip(i.id, 500), ContentType: mime.FormatMediaType(contentType, with), Body: i.body}
		if raw.Body == nil {
			raw.Body = r.Body
		}
		if i.from != "" {
			raw.Peek = address(c.numbers, in.ID, i.from)
		}
		inputs = append(inputs, raw)
	}
	return inputs
}

// answer is what providers take for an acknowledgement. Twilio reads an empty
// body of text/plain as "no answer".
func answer(w http.ResponseWriter, _ inbox.Inbox, _ *hosted.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
}

// Parse reads a stored input.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads stored inputs wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	media, values, err := mime.ParseMediaType(raw.ContentType)
	if err != nil || media != contentType {
		return nil, fmt.Errorf("parse sms: content type %q is not known", clip(raw.ContentType, 100))
	}
	with := params{provider: values["provider"], region: values["region"], outbound: values["outbound"]}
	p, ok := providers[with.provider]
	if with.provider == providerSMPP {
		items, err := parseSMPP(raw, with)
		if err != nil {
			return nil, fmt.Errorf("parse sms: %w", err)
		}
		return items, nil
	}
	if !ok {
		return nil, fmt.Errorf("parse sms: provider %q is not known", clip(with.provider, 40))
	}
	items, err := p.parse(raw, with)
	if err != nil {
		return nil, fmt.Errorf("parse sms of %s: %w", with.provider, err)
	}
	return items, nil
}
