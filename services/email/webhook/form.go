package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
)

const maxFields = 500

// form reads the fields of a posted form, of either encoding. The first value of a name counts. Files are fields too.
func form(r *hosted.Request) (map[string]string, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("%w: content type cannot be read", errNoMail)
	}
	fields := map[string]string{}
	switch kind {
	case "application/x-www-form-urlencoded":
		if bytes.Count(r.Body, []byte{'&'}) > maxFields {
			return nil, fmt.Errorf("%w: more than %d fields", errNoMail, maxFields)
		}
		values, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil, fmt.Errorf("%w: the form cannot be read", errNoMail)
		}
		for k := range values {
			fields[k] = values.Get(k)
		}
		return fields, nil
	case "multipart/form-data":
		m := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"])
		for range maxFields {
			p, err := m.NextRawPart()
			if errors.Is(err, io.EOF) {
				return fields, nil
			}
			if err != nil {
				return nil, fmt.Errorf("%w: the form cannot be read", errNoMail)
			}
			b, err := io.ReadAll(p) // within the request's own limit
			if err != nil {
				return nil, fmt.Errorf("%w: the form breaks off", errNoMail)
			}
			if _, again := fields[p.FormName()]; !again {
				fields[p.FormName()] = string(b)
			}
		}
		return nil, fmt.Errorf("%w: more than %d fields", errNoMail, maxFields)
	}
	return nil, fmt.Errorf("%w: content type is no form", errNoMail)
}

func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
