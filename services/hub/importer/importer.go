// Package importer turns exports of other systems into files that hub import
// reads (services/conversation/history). It opens no connection: what an export
// only points to is named, not fetched.
package importer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/history"
)

// Formats by name.
const (
	JSONL    = "jsonl"
	Mbox     = "mbox"
	Chatwoot = "chatwoot"
	Zendesk  = "zendesk"
)

// Formats lists them.
func Formats() []string { return []string{JSONL, Mbox, Chatwoot, Zendesk} }

// Options say how to read.
type Options struct {
	Format string
	Source string   // name of the source; empty: the format's. A JSONL file names its own
	Own    []string // mbox: addresses of ours
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	switch {
	case !slices.Contains(Formats(), o.Format):
		return fmt.Errorf("format: %q is not one of %s", o.Format, strings.Join(Formats(), ", "))
	case o.Source != "" && o.Format == JSONL:
		return errors.New("source: a jsonl file names its own, in its first line")
	case o.Source != "" && !subject.ValidToken(o.Source):
		return errors.New("source: must be 1 to 64 of a-z A-Z 0-9 _ -")
	case len(o.Own) == 0 && o.Format == Mbox:
		return errors.New("own: name the addresses that are yours, else nobody knows who answers whom")
	case len(o.Own) > 0 && o.Format != Mbox:
		return errors.New("own: is for the format mbox")
	}
	return nil
}

func (o Options) source() string {
	if o.Source == "" {
		return o.Format
	}
	return o.Source
}

// Open converts files ("-" is stdin) while the result is read. An error of a
// file is an error of reading. Call stop when reading ends early.
func Open(ctx context.Context, o Options, files []string, stdin io.Reader) (r io.Reader, stop func()) {
	pr, pw := io.Pipe()
	go func() {
		buffered := bufio.NewWriterSize(pw, 256<<10)
		err := convert(ctx, o, files, stdin, buffered)
		pw.CloseWithError(errors.Join(err, buffered.Flush()))
	}()
	return pr, func() { pr.Close() }
}

func convert(ctx context.Context, o Options, files []string, stdin io.Reader, w io.Writer) error {
	if o.Format == JSONL {
		if len(files) != 1 {
			return errors.New("one jsonl file at a time: each has a first line of its own")
		}
		return eachFile(files, stdin, func(name string, r io.Reader) error { return inline(ctx, name, r, w) })
	}
	out := &writer{w: w}
	head, err := json.Marshal(history.Header{Version: history.Version, Source: o.source()})
	if err != nil {
		return err
	}
	if _, err := w.Write(append(head, '\n')); err != nil {
		return err
	}
	switch o.Format {
	case Mbox:
		m := newMbox(o.Own)
		if err := eachFile(files, stdin, func(name string, r io.Reader) error { return m.read(ctx, name, r, out) }); err != nil {
			return err
		}
		return m.end(out)
	case Chatwoot:
		c := newChatwoot()
		if err := eachFile(files, stdin, func(name string, r io.Reader) error { return c.read(name, r) }); err != nil {
			return err
		}
		return c.end(out)
	}
	z := newZendesk()
	if err := eachFile(files, stdin, func(name string, r io.Reader) error { return z.read(name, r) }); err != nil {
		return err
	}
	return z.end(out)
}

func eachFile(files []string, stdin io.Reader, fn func(name string, r io.Reader) error) error {
	for _, name := range files {
		if name == "-" {
			if err := fn("-", stdin); err != nil {
				return err
			}
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = fn(name, f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// writer writes records as lines.
type writer struct {
	w io.Writer
}

func (w *writer) write(r history.Record) error {
	line, err := r.Line()
	if err != nil {
		return err
	}
	_, err = w.w.Write(line)
	return err
}

// problem says what could not be converted; it counts as a bad line.
func (w *writer) problem(origin, format string, args ...any) error {
	return w.write(history.Record{Problem: &history.Problem{Origin: history.Origin{Origin: origin}, Problem: fmt.Sprintf(format, args...)}})
}
