package sms

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// maxMedia is the most that is read of a file. Carriers allow far less.
const maxMedia = 25 << 20

// Fetch opens a picture of an MMS at the provider. Only addresses of the
// provider are opened; its login goes only where its API is.
func (a *Adapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.config(inboxID)
	if err != nil {
		return nil, err
	}
	p, ok := providers[c.provider]
	if !ok {
		return nil, fmt.Errorf("fetch a file: provider %s keeps none: %w", c.provider, channel.ErrGone)
	}
	ours, login := p.media(c, at.Remote)
	if !ours {
		return nil, fmt.Errorf("fetch a file: its address is not one of %s's: %w", c.provider, channel.ErrGone)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.Remote, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch a file: its address is none: %w", channel.ErrGone)
	}
	if login {
		p.authorise(c, r) // dropped by net/http where it redirects to another host
	}
	res, err := a.caller.Open(inboxID, r, maxMedia)
	if err != nil {
		return nil, fmt.Errorf("fetch a file: %w", err)
	}
	return res, nil
}

// under says whether an address begins with a base's scheme, host and path.
func under(base, address string) bool {
	b, err := url.Parse(base)
	if err != nil {
		return false
	}
	u, err := url.Parse(address)
	return err == nil && u.User == nil && u.Scheme == b.Scheme && strings.EqualFold(u.Host, b.Host) &&
		strings.HasPrefix(path.Clean(u.Path)+"/", strings.TrimSuffix(b.Path, "/")+"/")
}

// hostOf says whether an https address is of a host, or one below it.
func hostOf(address string, hosts ...string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range hosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}

// file is an attachment that the provider keeps.
func file(n int, contentType, address string) channel.Attachment {
	kind, sub, _ := strings.Cut(contentType, "/")
	sub, _, _ = strings.Cut(sub, ";")
	name := fmt.Sprintf("%s-%d", map[string]string{"image": "picture", "video": "video", "audio": "sound"}[kind], n+1)
	if strings.HasPrefix(name, "-") {
		name = "file" + name
	}
	if ext := map[string]string{"jpeg": "jpg", "plain": "txt", "vcard": "vcf", "x-vcard": "vcf", "mpeg": "mpg"}[sub]; ext != "" {
		sub = ext
	}
	if sub != "" && len(sub) <= 5 && strings.Trim(sub, "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
		name += "." + sub
	}
	return channel.Attachment{Name: name, ContentType: clip(contentType, 100), Remote: address}
}
