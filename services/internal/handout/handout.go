// Package handout gives providers that fetch files an address of one file, for a
// while. Whoever has the address has the file and nothing else: it names one blob,
// how it is answered and until when, under a keyed hash (crypt.Keyring.MAC).
package handout

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Lasts is how long an address is good: providers fetch at once, and queue for some hours.
const Lasts = 4 * time.Hour

// purpose separates the hashes from others of the keyring.
const purpose = "handout"

// Desk hands out files of a channel. Safe for concurrent use.
type Desk struct {
	Blobs blob.Store
	Keys  crypt.Keyring
	Log   *slog.Logger
	Now   func() time.Time
}

// File is one to hand out. Type is one of Types; other files are not handed out.
type File struct{ Blob, Type string }

// Types are what is handed out, with the ending of the address. A browser
// that opens one runs nothing; whatever it is, it is answered as a download.
var Types = map[string]string{
	"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "video/mp4": "mp4", "video/3gpp": "3gp",
	"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/amr": "amr", "text/vcard": "vcf", "application/pdf": "pdf",
}

// Path is the address of a file below a prefix without a trailing slash, which it is bound to.
func (d *Desk) Path(prefix string, f File) string {
	until := strconv.FormatInt(d.Now().Add(Lasts).Unix(), 36)
	name := "file." + Types[f.Type]
	mac := d.Keys.MAC(purpose, sealed(prefix, f.Blob, until, name))
	return prefix + "/" + url.PathEscape(f.Blob) + "/" + until + "." + hex.EncodeToString(mac) + "/" + name
}

// sealed is what the hash is over.
func sealed(prefix, key, until, name string) []byte {
	return []byte(prefix + "\x00" + key + "\x00" + until + "\x00" + name)
}

// Routes mounts what Path names, below a prefix that may hold wildcards.
func (d *Desk) Routes(mux *http.ServeMux, prefix string) {
	mux.HandleFunc("GET "+prefix+"/{blob}/{ticket}/{name}", d.serve)
}

func (d *Desk) serve(w http.ResponseWriter, r *http.Request) {
	key, ticket, name := r.PathValue("blob"), r.PathValue("ticket"), r.PathValue("name")
	until, signed, _ := strings.Cut(ticket, ".")
	mac, err := hex.DecodeString(signed)
	prefix, ok := strings.CutSuffix(r.URL.EscapedPath(), "/"+url.PathEscape(key)+"/"+ticket+"/"+name)
	if err != nil || !ok || !d.Keys.VerifyMAC(purpose, sealed(prefix, key, until, name), mac) {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	end, err := strconv.ParseInt(until, 36, 64)
	if err != nil || d.Now().Unix() >= end {
		http.Error(w, "the address of this file has expired", http.StatusGone)
		return
	}
	data, err := d.Blobs.Get(r.Context(), key)
	switch {
	case errors.Is(err, crypt.ErrShredded), errors.Is(err, blob.ErrNotFound):
		http.Error(w, "the file is gone", http.StatusGone)
		return
	case err != nil:
		d.Log.Error("file could not be handed out", "error", err)
		http.Error(w, "the file cannot be read now", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kindOf(name))
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	sum := sha256.Sum256(data)
	h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// kindOf is the type of what is handed out under a name.
func kindOf(name string) string {
	_, ending, _ := strings.Cut(name, ".")
	for kind, e := range Types {
		if e == ending {
			return kind
		}
	}
	return "application/octet-stream"
}
