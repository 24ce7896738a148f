package replay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/weftline/weftline/services/conversation/history"
)

// read is the first look at the file: every line by itself.
func (r *run) read(ctx context.Context) error {
	p := &r.plan
	p.people, p.talks, p.ends = map[string]*person{}, map[string]*talk{}, map[string]*end{}
	seen := map[[16]byte]int{}
	sum := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(io.NewSectionReader(r.file, 0, r.size), sum), 1<<20)
	var off int64
	var late []func() // what needs all customers and conversations
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, size, err := readLine(in)
		if errors.Is(err, io.EOF) && size == 0 {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errLong) {
			return fmt.Errorf("read the file: %w", err)
		}
		here := place{off: off, n: len(line), line: n}
		off += size
		r.report.Lines = n
		r.tell.tell(Progress{Phase: "read", Done: off, Of: r.size, Unit: "bytes"})
		switch {
		case n == 1:
			if errors.Is(err, errLong) {
				return fmt.Errorf("line 1: %w", err)
			}
			if p.header, err = history.ParseHeader(line); err != nil {
				return fmt.Errorf("line 1: %w", err)
			}
			r.report.Source = p.header.Source
			continue
		case errors.Is(err, errLong):
			r.bad(n, "", err)
			continue
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case n > LimitRecords:
			return fmt.Errorf("line %d: a file has at most %d lines", n, LimitRecords)
		}
		rec, err := history.Parse(line)
		if err == nil {
			var after func()
			if after, err = r.take(ctx, rec, here, seen); after != nil {
				late = append(late, after)
			}
		}
		if err != nil {
			r.bad(n, rec.OriginOf(), err)
		}
	}
	if r.report.Lines == 0 {
		return errors.New("line 1: is missing; a file begins with its version and source")
	}
	r.digest = hex.EncodeToString(sum.Sum(nil))
	r.tell.now(Progress{Phase: "read", Done: off, Of: r.size, Unit: "bytes"})
	r.phones()
	for _, fn := range late {
		fn()
	}
	return nil
}

var errLong = fmt.Errorf("is longer than %d bytes", history.LimitLine)

// readLine reads a line without its end; size is with it. A line over the limit
// is passed over.
func readLine(in *bufio.Reader) (line []byte, size int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		size += int64(len(part))
		if size <= history.LimitLine {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if size > history.LimitLine {
			return nil, size, errLong
		}
		if err == nil {
			line = line[:len(line)-1]
		}
		return line, size, err
	}
}
