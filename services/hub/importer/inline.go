package importer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/weftline/weftline/services/conversation/history"
)

// inline copies a JSONL file line by line and puts the files that its messages
// name into their lines. A line that cannot be read so is copied as it is: the
// hub says what is wrong with it, by its number.
func inline(ctx context.Context, name string, r io.Reader, w io.Writer) error {
	dir := "."
	if name != "-" {
		dir = filepath.Dir(name)
	}
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			if _, werr := w.Write(withFiles(dir, line)); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func withFiles(dir string, line []byte) []byte {
	if !bytes.Contains(line, []byte(`"file"`)) {
		return line
	}
	// Only what is changed is decoded, so that unknown fields stay and are named.
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil || string(fields["type"]) != `"message"` {
		return line
	}
	var files []map[string]json.RawMessage
	if json.Unmarshal(fields["attachments"], &files) != nil {
		return line
	}
	for _, f := range files {
		var name string
		if raw, ok := f["file"]; !ok || json.Unmarshal(raw, &name) != nil || name == "" {
			continue
		}
		delete(f, "file")
		data, err := readFile(dir, name)
		if err != nil {
			f["missing"], _ = json.Marshal(err.Error())
			continue
		}
		f["data"] = json.RawMessage(`"` + base64.StdEncoding.EncodeToString(data) + `"`)
		if _, named := f["name"]; !named {
			f["name"], _ = json.Marshal(filepath.Base(name))
		}
	}
	var err error
	if fields["attachments"], err = json.Marshal(files); err != nil {
		return line
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return line
	}
	return append(out, '\n')
}

// readFile reads a file beside the import file, never one above its directory.
func readFile(dir, name string) ([]byte, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("file %q: must be a path relative to the import file, and below its directory", name)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, history.LimitAttachment+1))
	if err == nil && len(data) > history.LimitAttachment {
		err = fmt.Errorf("file %q: must have at most %d bytes", name, history.LimitAttachment)
	}
	return data, err
}
