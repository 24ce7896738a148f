package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode"

	"connectrpc.com/connect"
	"github.com/oklog/ulid/v2"
	"github.com/weftline/weftline/services/internal/blob"
	"golang.org/x/text/unicode/norm"
)

// MaxUpload bounds one attachment of an agent, in bytes.
const MaxUpload = 25 << 20

// upload stores a file for a later reply. POST /api/attachments, multipart field "file".
// It is refused as calls are: JSON with code, message and the field.
func (c *Console) upload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxUpload+1<<20)
	mr, err := r.MultipartReader()
	if err != nil {
		refuseField(w, r, "file", "send multipart/form-data")
		return
	}
	for {
		part, err := mr.NextPart()
		if err != nil {
			refuseField(w, r, "file", "missing")
			return
		}
		if part.FormName() != "file" {
			continue
		}
		c.store(w, r, part.FileName(), part)
		return
	}
}

func (c *Console) store(w http.ResponseWriter, r *http.Request, name string, body io.Reader) {
	head := make([]byte, 512)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		refuseField(w, r, "file", "could not be read")
		return
	}
	// The type is what the content is, not what the browser says.
	kind := http.DetectContentType(head[:n])
	key, size, err := c.deps.Blobs.Put(r.Context(), "blob/"+strings.ToLower(ulid.Make().String()), io.MultiReader(strings.NewReader(string(head[:n])), body), MaxUpload)
	var tooLong *http.MaxBytesError
	switch {
	case errors.Is(err, blob.ErrTooLarge), errors.As(err, &tooLong):
		refuseField(w, r, "file", "larger than 25 MiB")
		return
	case err != nil:
		c.deps.Log.Error("upload could not be stored", "error", err)
		refuse(w, r, connect.CodeInternal, "something went wrong on our side")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"id": key, "name": cleanName(name), "contentType": kind, "size": size})
}

// cleanName canonicalises first (no control or format characters, then NFC), then cuts paths.
func cleanName(s string) string {
	s = norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")))
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimLeft(s, ". ")
	if r := []rune(s); len(r) > 150 {
		s = string(r[:150])
	}
	if s == "" {
		return "file"
	}
	return s
}
