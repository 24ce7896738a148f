package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxFrame bounds one event, in bytes.
const maxFrame = 16 << 20

// frame is one block of an event stream. An id without data moves the cursor only.
type frame struct {
	id, event, data string
	retry           time.Duration
}

// scanner reads an event stream (WHATWG HTML §9.2.6), with lines that end in LF or CRLF.
type scanner struct{ r *bufio.Reader }

func newScanner(r io.Reader) *scanner { return &scanner{bufio.NewReaderSize(r, 16<<10)} }

// next returns the next block that says anything. A block that was cut off by
// the end of the stream does not count.
func (s *scanner) next() (frame, error) {
	var f frame
	var data []string
	said := false
	for size := 0; ; {
		line, err := s.line(maxFrame - size)
		if err != nil {
			return frame{}, err
		}
		size += len(line)
		if line == "" {
			if said {
				f.data = strings.Join(data, "\n")
				return f, nil
			}
			size = 0
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "":
			continue // a comment
		case "id":
			f.id = value
		case "event":
			f.event = value
		case "data":
			data = append(data, value)
		case "retry":
			if ms, err := strconv.ParseUint(value, 10, 31); err == nil {
				f.retry = time.Duration(ms) * time.Millisecond
			}
		}
		said = true
	}
}

func (s *scanner) line(limit int) (string, error) {
	var long []byte
	for {
		part, err := s.r.ReadSlice('\n')
		if len(long)+len(part) > limit+2 {
			return "", fmt.Errorf("%w: longer than %d bytes", errFormat, maxFrame)
		}
		switch {
		case err == nil:
			line := part
			if long != nil {
				line = append(long, part...)
			}
			return string(bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))), nil
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
		default:
			return "", err
		}
	}
}
