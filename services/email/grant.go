package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

const grantCollection = "email_grants"

const (
	refusalLasts = 5 * time.Minute  // a refused grant is not asked about again before
	storeTime    = 30 * time.Second // for keeping what an endpoint gave
	noExpiry     = 30 * time.Minute // how long a token is used whose endpoint does not say
)

// grants are the access tokens of inboxes: got from the provider, kept sealed
// in the state store, and shared by all processes on it.
//
// One at a time asks a provider for an inbox: whoever holds the lease, which is
// in the document too and ends by itself. A refresh token that came in place
// of another is stored before the access token beside it is used, and the
// question, once asked, is not broken off with its caller: providers may
// forget the old one as they answer. Safe for concurrent use.
type grants struct {
	state  docstore.Store
	keys   crypt.Keyring
	client *http.Client
	timing Timing
	count  func(result string)

	mu       sync.Mutex
	locks    map[string]chan struct{}
	declared bool
}

// grant is the document. Stored: names stay.
type grant struct {
	Inbox  string        `json:"inbox"`
	Sealed *crypt.Sealed `json:"sealed,omitempty"` // of grantSecrets
	// Got and Expiry are of the access token.
	Got    time.Time `json:"got,omitzero"`
	Expiry time.Time `json:"expiry,omitzero"`
	// Lease: until then somebody is asking the provider.
	Lease time.Time `json:"lease,omitzero"`
	// Refused are the provider's words when it refused the grant, At when, For with which secret and scopes.
	Refused    string    `json:"refused,omitempty"`
	RefusedAt  time.Time `json:"refused_at,omitzero"`
	RefusedFor string    `json:"refused_for,omitempty"`

	rev     uint64
	secrets grantSecrets
}

type grantSecrets struct {
	Access  string `json:"access,omitempty"`
	Refresh string `json:"refresh,omitempty"`
}

func newGrants(state docstore.Store, keys crypt.Keyring, client *http.Client, timing Timing, count func(string)) *grants {
	c := http.Client{}
	if client != nil {
		c = *client
	}
	// A redirect would carry the secrets elsewhere.
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &grants{state: state, keys: keys, client: &c, timing: timing, count: count, locks: map[string]chan struct{}{}}
}

func (g *grants) declare(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.declared {
		return nil
	}
	if err := g.state.Declare(ctx, docstore.Collection{Name: grantCollection}); err != nil {
		return fmt.Errorf("declare access tokens: %w", err)
	}
	g.declared = true
	return nil
}

// token is an access token for an inbox: the one that is kept until shortly
// before it ends, else a new one. not is one that a server refused; it is
// given again only while it is so young that another would fare no better.
//
// An error wraps channel.ErrNeedsAttention and errAuth when the provider
// refuses the grant, *channel.RetryAfterError when it names a delay; any other
// is temporary.
func (g *grants) token(ctx context.Context, inbox string, o *oauth, not string) (string, error) {
	id := inbox + "." + g.keys.Hash("email.grant", o.tokenURL, o.clientID, o.refreshToken)
	if err := g.declare(ctx); err != nil {
		return "", err
	}
	unlock, err := g.lock(ctx, id)
	if err != nil {
		return "", err
	}
	defer unlock()
	mark := g.keys.Hash("email.grant.for", append([]string{o.clientSecret}, o.scopes...)...)
	poll := backoff.NewExponentialBackOff()
	poll.InitialInterval, poll.MaxInterval = 20*time.Millisecond, time.Second
	for {
		d, err := g.load(ctx, inbox, id)
		if err != nil {
			return "", err
		}
		now := time.Now()
		kept := d.secrets.Access
		switch {
		case kept != "" && kept != not && now.Before(d.renewAt()):
			return kept, nil
		case kept != "" && kept == not && now.Sub(d.Got) < g.timing.TokenYoung:
			return kept, nil
		case d.Refused != "" && d.RefusedFor == mark && now.Before(d.RefusedAt.Add(refusalLasts)):
			return "", refusedGrant(d.Refused)
		case now.Before(d.Lease):
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("wait for an access token: %w", ctx.Err())
			case <-time.After(poll.NextBackOff()):
			}
			continue
		}
		// The lease outlasts the question and keeping the answer.
		d.Lease = now.Add(g.timing.TokenCall + storeTime + 10*time.Second)
		err = g.save(ctx, id, &d)
		if errors.Is(err, docstore.ErrStale) || errors.Is(err, docstore.ErrExists) {
			continue // another was first
		}
		if err != nil {
			return "", err
		}
		return g.renew(context.WithoutCancel(ctx), id, o, d, mark, not)
	}
}

// renewAt is shortly before the access token ends: 5 minutes, or a fifth of a short life.
func (d *grant) renewAt() time.Time {
	return d.Expiry.Add(-min(5*time.Minute, d.Expiry.Sub(d.Got)/5))
}

// renew asks the provider and keeps its answer; the lease is ours.
func (g *grants) renew(ctx context.Context, id string, o *oauth, d grant, mark, not string) (string, error) {
	used := d.secrets.Refresh
	if used == "" {
		used = o.refreshToken
	}
	asked, cancel := context.WithTimeout(ctx, g.timing.TokenCall)
	tok, err := g.ask(asked, o, used)
	cancel()
	d.Lease = time.Time{}
	var refused *refusedError
	switch {
	case err == nil:
		g.count("got")
		d.Refused, d.RefusedAt, d.RefusedFor = "", time.Time{}, ""
		d.Got, d.Expiry = time.Now(), tok.Expiry
		if d.Expiry.IsZero() {
			d.Expiry = d.Got.Add(noExpiry)
		}
		d.secrets = grantSecrets{Access: tok.AccessToken, Refresh: tok.RefreshToken}
		if d.secrets.Refresh == "" {
			d.secrets.Refresh = used
		}
	case errors.As(err, &refused):
		g.count("refused")
		d.Refused, d.RefusedAt, d.RefusedFor = refused.words, time.Now(), mark
	default:
		g.count("failed")
	}
	kept, storeErr := g.keep(ctx, id, d, used)
	switch {
	case refused != nil:
		return "", refusedGrant(refused.words)
	case err != nil && d.secrets.Access != "" && d.secrets.Access != not && time.Now().Before(d.Expiry):
		return d.secrets.Access, nil // the one at hand still holds
	case err != nil:
		return "", fmt.Errorf("get an access token: %w", err)
	case storeErr != nil:
		return "", fmt.Errorf("keep an access token: %w", storeErr)
	}
	return kept.secrets.Access, nil
}

// keep stores d, again and again for a while: what cannot be stored is not
// used. Where the lease ran out meanwhile and another got tokens with the same
// refresh token, theirs stay and are returned.
func (g *grants) keep(ctx context.Context, id string, d grant, used string) (grant, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return backoff.Retry(ctx, func() (grant, error) {
		err := g.save(ctx, id, &d)
		if !errors.Is(err, docstore.ErrStale) {
			return d, err
		}
		now, lerr := g.load(ctx, d.Inbox, id)
		if lerr != nil {
			return d, lerr
		}
		if theirs := now.secrets.Refresh; theirs != "" && theirs != used {
			return now, nil
		}
		d.rev, d.Lease = now.rev, now.Lease
		return d, err
	}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(storeTime))
}

// lock lets one goroutine of this process at a time work on a grant.
func (g *grants) lock(ctx context.Context, id string) (func(), error) {
	g.mu.Lock()
	l, ok := g.locks[id]
	if !ok {
		l = make(chan struct{}, 1)
		g.locks[id] = l
	}
	g.mu.Unlock()
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for an access token: %w", ctx.Err())
	}
}

func (g *grants) load(ctx context.Context, inbox, id string) (grant, error) {
	d := grant{Inbox: inbox}
	doc, err := g.state.Get(ctx, grantCollection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("load access token: %w", err)
	}
	if err := json.Unmarshal(doc.JSON, &d); err != nil {
		return d, fmt.Errorf("load access token: %w", err)
	}
	d.rev = doc.Seq
	if d.Sealed == nil {
		return d, nil
	}
	plain, err := g.keys.Open(ctx, *d.Sealed, []byte(grantCollection+"/"+id))
	if err != nil {
		return d, fmt.Errorf("open access token: %w", err)
	}
	if err := json.Unmarshal(plain, &d.secrets); err != nil {
		return d, fmt.Errorf("open access token: %w", err)
	}
	return d, nil
}

// save puts the document where it still is what was loaded; else ErrStale or ErrExists.
func (g *grants) save(ctx context.Context, id string, d *grant) error {
	if d.secrets != (grantSecrets{}) {
		plain, err := json.Marshal(d.secrets)
		if err != nil {
			return fmt.Errorf("seal access token: %w", err)
		}
		sealed, err := g.keys.Seal(ctx, "inbox/"+d.Inbox, plain, []byte(grantCollection+"/"+id))
		if err != nil {
			return fmt.Errorf("seal access token: %w", err)
		}
		d.Sealed = &sealed
	}
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("save access token: %w", err)
	}
	op := docstore.Op{Collection: grantCollection, Doc: docstore.Doc{ID: id, Seq: d.rev + 1, JSON: b}, IfRev: d.rev, Create: d.rev == 0}
	if err := g.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("save access token: %w", err)
	}
	d.rev++
	return nil
}

// withToken dials with an access token where the inbox uses them, and once
// more with another when the server refuses the first.
func withToken[T any](ctx context.Context, g *grants, inbox string, o *oauth, dial func(token string) (T, error)) (T, error) {
	var none T
	if o == nil {
		return dial("")
	}
	token, err := g.token(ctx, inbox, o, "")
	if err != nil {
		return none, err
	}
	conn, err := dial(token)
	if !errors.Is(err, errTokenRefused) {
		return conn, err
	}
	other, terr := g.token(ctx, inbox, o, token)
	if terr != nil {
		return none, terr
	}
	if other != token {
		if conn, err = dial(other); !errors.Is(err, errTokenRefused) {
			return conn, err
		}
	}
	return none, fmt.Errorf("%w: the server takes no access token of this account: %w: %w", errAuth, channel.ErrNeedsAttention, err)
}
