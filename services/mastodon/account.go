package mastodon

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// account is who an inbox is, and what its instance allows.
type account struct {
	config  config
	id      string
	acct    string // user@host
	domain  string // of the instance, which may be another than that of its address
	text    int    // characters of a post
	link    int    // characters that an address counts
	files   int
	streams string // where the stream is
}

// instance is what of "GET /api/v2/instance" is read.
type instance struct {
	Domain        string `json:"domain"`
	Configuration struct {
		URLs struct {
			Streaming string `json:"streaming"`
		} `json:"urls"`
		Statuses struct {
			Max   int `json:"max_characters"`
			Media int `json:"max_media_attachments"`
			URL   int `json:"characters_reserved_per_url"`
		} `json:"statuses"`
	} `json:"configuration"`
}

// account asks who we are, once for each set of settings.
func (a *Adapter) account(ctx context.Context, id string, c config) (account, error) {
	a.mu.Lock()
	acc := a.accounts[id]
	a.mu.Unlock()
	if acc.config == c && acc.id != "" {
		return acc, nil
	}
	var me user
	if err := a.get(ctx, id, c, "/api/v1/accounts/verify_credentials", nil, &me); err != nil {
		return account{}, fmt.Errorf("ask who we are: %w", err)
	}
	var in instance
	if err := a.get(ctx, id, c, "/api/v2/instance", nil, &in); err != nil {
		return account{}, fmt.Errorf("ask what the instance allows: %w", err)
	}
	if me.ID == "" || me.Acct == "" {
		return account{}, errors.New("ask who we are: the instance's answer cannot be read")
	}
	acc = account{
		config: c, id: me.ID, domain: strings.ToLower(in.Domain), text: in.Configuration.Statuses.Max,
		link: in.Configuration.Statuses.URL, files: in.Configuration.Statuses.Media,
	}
	if acc.domain == "" {
		acc.domain = hostOf(c.instance)
	}
	if acc.text <= 0 {
		acc.text = usualText
	}
	if acc.link <= 0 {
		acc.link = usualLink
	}
	if acc.files <= 0 {
		acc.files = maxFiles
	}
	acc.acct = address(me.Acct, acc.domain)
	acc.streams = streams(c.instance, in.Configuration.URLs.Streaming)
	a.mu.Lock()
	a.accounts[id] = acc
	a.mu.Unlock()
	return acc, nil
}

// streams is where the user's stream is: the instance may name another host, as
// a websocket's address; the same host speaks SSE ("Streaming API").
func streams(home, said string) string {
	base := home
	if u, err := url.Parse(said); err == nil && u.Host != "" {
		switch {
		case u.Scheme == "wss" || u.Scheme == "https":
			base = "https://" + u.Host
		case (u.Scheme == "ws" || u.Scheme == "http") && strings.HasPrefix(home, "http://"): // the token goes there
			base = "http://" + u.Host
		}
	}
	return base + "/api/v1/streaming/user"
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// address is user@host: users of the instance itself come without its name
// ("Account", acct). Names are the same in any case.
func address(acct, domain string) string {
	acct = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(acct), "@"))
	if acct == "" || strings.Contains(acct, "@") || domain == "" {
		return acct
	}
	return acct + "@" + domain
}
