package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode"

	"github.com/oklog/ulid/v2"
	"github.com/weftline/weftline/services/internal/blob"
	"golang.org/x/text/unicode/norm"
)

// MaxUpload bounds one attachment of an agent, in bytes.
const MaxUpload = 25 << 20

// upload stores a file for a later reply. POST /api/attachments, multipart field "file".
func (c *Console) upload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxUpload+1<<20)
	mr, err := r.MultipartReader()
	if err != nil {
		http.Error(w, "file: send multipart/form-data", http.StatusBadRequest)
		return
	}
	for {
		part, err := mr.NextPart()
		if err != nil {
			http.Error(w, "file: missing", http.StatusBadRequest)
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
		http.Error(w, "file: could not be read", http.StatusBadRequest)
		return
	}
	// The type is what the content is, not what the browser says.
	kind := http.DetectContentType(head[:n])
	key, size, err := c.deps.Blobs.Put(r.Context(), "blob/"+strings.ToLower(ulid.Make().String()), io.MultiReader(strings.NewReader(string(head[:n])), body), MaxUpload)
	var tooLong *http.MaxBytesError
	switch {
	case errors.Is(err, blob.ErrTooLarge), errors.As(err, &tooLong):
		http.Error(w, "file: larger than 25 MiB", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		c.fail(w, "upload could not be stored", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"id": key, "name": cleanName(name), "contentType": kind, "size": size})
}

// cleanName canonicalises first (NFC, no control or format characters), then cuts paths.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(s, "")))
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
