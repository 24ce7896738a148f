package hosted

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
)

// maxPeek is what the intake takes of a Peek, in bytes.
const maxPeek = 2048

// Request is what a provider sent, as it came.
type Request struct {
	Method string
	Header http.Header
	Query  url.Values
	// URL is the whole address as the provider knows it (Deps.PublicURL, path and query): some sign it.
	URL  string
	Body []byte
	At   time.Time
}

// ErrRefused: the request does not come from the provider. It is answered with 401 and counted.
var ErrRefused = errors.New("refused")

// ErrUnusable: the provider sent it, and it can never be taken as it is: something is
// set wrongly there. It is answered with 422 and the error's words, and counted.
var ErrUnusable = errors.New("unusable")

// ErrLater: whether the provider sent it cannot be told now. It is answered with 503.
var ErrLater = errors.New("cannot be checked now")

// Door takes what a provider posts. It answers 2xx only when everything in a
// request is on disk; 401 for what Admit refuses, 404 for an inbox that is not
// there, 408 when it comes too slowly, 413 over Limit, 503 when there is no room for it or
// it could not be stored (the provider comes again).
// Nothing a request holds can make it answer otherwise. Safe for concurrent use.
type Door struct {
	Channel string
	Limit   int64 // bytes of a request; 0: 1 MiB
	AtOnce  int   // requests that are worked on at once, for large ones; 0: any number
	// Admit says whether the provider sent it, by the raw bytes; ErrRefused or an error that
	// wraps it, ErrUnusable or ErrLater.
	Admit func(in inbox.Inbox, r *Request) error
	// Split finds the inputs of a request, each with its ProviderID, Body, ContentType
	// and where it is cheap Peek; the door fills in the rest. None: there is nothing
	// to keep (a ping). It runs before anything is stored, so it looks no deeper
	// than it must, and gives a request it cannot read as one input (Whole). It may name
	// another inbox of the channel where a provider has one address for several accounts.
	Split func(in inbox.Inbox, r *Request) []channel.Raw
	// Answer writes the provider's idea of an acknowledgement; nil: 200, empty.
	Answer func(w http.ResponseWriter, in inbox.Inbox, r *Request)
	// Get: a GET with a query is taken like a POST, since some providers report so.
	Get bool
	// Greet answers every other GET, with which providers try an address before they use it; nil: 405.
	Greet func(w http.ResponseWriter, r *http.Request, in inbox.Inbox)

	deps    Deps
	bodies  bodies
	places  chan struct{}
	log     *slog.Logger
	now     func() time.Time
	results *prometheus.CounterVec
}

// Open makes the door ready.
func (d *Door) Open(deps Deps) *Door {
	deps = deps.WithDefaults()
	d.deps, d.log, d.now = deps, deps.Log, deps.Now
	if d.Limit == 0 {
		d.Limit = 1 << 20
	}
	if d.AtOnce > 0 {
		d.places = make(chan struct{}, d.AtOnce)
	}
	d.results = counter(deps.Metrics, "weftline_webhook_requests_total", "Requests of providers by result: taken, empty, refused, unusable, not_checked, too_large, too_slow, busy, broken_off, not_stored.", "channel", "result")
	return d
}

// Routes mounts the door.
func (d *Door) Routes(mux *http.ServeMux) { mux.Handle(HookPath(d.Channel, "{inbox}"), d) }

func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, ok := d.deps.Inboxes.Get(r.PathValue("inbox"))
	switch {
	case !ok || in.Channel != d.Channel:
		http.Error(w, "no such inbox", http.StatusNotFound)
	case r.Method == http.MethodGet && !d.reports(r) && d.Greet != nil:
		d.Greet(w, r, in)
	case r.Method != http.MethodPost && !d.reports(r):
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
	default:
		result := d.take(w, r, in)
		d.results.WithLabelValues(d.Channel, result).Inc()
	}
}

// busy: too much is under way; the provider comes again.
func busy(w http.ResponseWriter) string {
	w.Header().Set("Retry-After", "10")
	http.Error(w, "too many requests at once, send it again", http.StatusServiceUnavailable)
	return "busy"
}

// enter takes a place for a request whose body is there. Nobody can hold one by sending slowly.
func (d *Door) enter(ctx context.Context) (leave func(), ok bool) {
	if d.places == nil {
		return func() {}, true
	}
	patience := time.NewTimer(20 * time.Second)
	defer patience.Stop()
	select {
	case d.places <- struct{}{}:
		return func() { <-d.places }, true
	case <-ctx.Done():
	case <-patience.C:
	}
	return nil, false
}

// reports says whether a GET is one that brings something.
func (d *Door) reports(r *http.Request) bool {
	return d.Get && r.Method == http.MethodGet && r.URL.RawQuery != ""
}

func (d *Door) take(w http.ResponseWriter, r *http.Request, in inbox.Inbox) string {
	body, done, err := d.bodies.read(w, r, d.Limit)
	defer done()
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		http.Error(w, fmt.Sprintf("request is larger than the limit of %d bytes", d.Limit), http.StatusRequestEntityTooLarge)
		return "too_large"
	}
	switch {
	case errors.Is(err, errNoRoom):
		return busy(w)
	case errors.Is(err, errTooSlow):
		http.Error(w, "request came too slowly", http.StatusRequestTimeout)
		return "too_slow"
	case err != nil:
		http.Error(w, "request broke off", http.StatusBadRequest)
		return "broken_off"
	}
	leave, ok := d.enter(r.Context())
	if !ok {
		return busy(w)
	}
	defer leave()
	req := &Request{Method: r.Method, Header: r.Header, Query: r.URL.Query(), URL: d.deps.PublicURL + r.URL.RequestURI(), Body: body, At: d.now().UTC()}
	if err := d.Admit(in, req); err != nil {
		if errors.Is(err, ErrUnusable) {
			d.log.Warn("webhook is unusable", "channel", d.Channel, "inbox", in.ID, "error", err)
			d.deps.Inboxes.SetHealth(in.ID, inbox.Health{State: "needs_attention", Detail: err.Error()})
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return "unusable"
		}
		if errors.Is(err, ErrLater) {
			d.log.Error("webhook could not be checked", "channel", d.Channel, "inbox", in.ID, "error", err)
			w.Header().Set("Retry-After", "5")
			http.Error(w, "not checked, send it again", http.StatusServiceUnavailable)
			return "not_checked"
		}
		d.log.Warn("webhook refused", "channel", d.Channel, "inbox", in.ID, "error", err)
		http.Error(w, "signature or secret is wrong", http.StatusUnauthorized)
		return "refused"
	}
	inputs := d.inputs(in, req)
	if len(inputs) > 0 {
		// The provider may hang up; what it has handed over is stored all the same.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 20*time.Second)
		defer cancel()
		err := d.deps.Intake.Accept(ctx, inputs...)
		if never, ok := errors.AsType[interface {
			error
			Permanent() bool
		}](err); ok && never.Permanent() {
			d.log.Warn("webhook is unusable", "channel", d.Channel, "inbox", in.ID, "error", err)
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return "unusable"
		}
		if err != nil {
			d.log.Error("webhook could not be stored", "channel", d.Channel, "inbox", in.ID, "error", err)
			w.Header().Set("Retry-After", "5")
			http.Error(w, "not stored, send it again", http.StatusServiceUnavailable)
			return "not_stored"
		}
		d.deps.Inboxes.SetHealth(in.ID, inbox.Health{LastIn: req.At})
	}
	if d.Answer != nil {
		d.Answer(w, in, req)
	} else {
		w.WriteHeader(http.StatusOK)
	}
	if len(inputs) == 0 {
		return "empty"
	}
	return "taken"
}

// inputs are what Split finds; whatever happens to it, the request is kept.
func (d *Door) inputs(in inbox.Inbox, r *Request) (inputs []channel.Raw) {
	defer func() {
		if v := recover(); v != nil {
			d.log.Error("webhook could not be split", "channel", d.Channel, "inbox", in.ID, "panic", v)
			inputs = d.complete(in, r, []channel.Raw{Whole(r)})
		}
	}()
	return d.complete(in, r, d.Split(in, r))
}

func (d *Door) complete(in inbox.Inbox, r *Request, inputs []channel.Raw) []channel.Raw {
	for i := range inputs {
		inputs[i].Channel, inputs[i].ReceivedAt = d.Channel, r.At
		if p := inputs[i].Peek; len(p.Kind)+len(p.Address)+len(p.Scope)+len(p.Name) > maxPeek {
			inputs[i].Peek = channel.Address{} // what is too long for an address names nobody; the input is kept
		}
		if inputs[i].Inbox == "" {
			inputs[i].Inbox = in.ID
		}
		if inputs[i].ContentType == "" {
			inputs[i].ContentType = "application/json"
		}
	}
	return inputs
}
