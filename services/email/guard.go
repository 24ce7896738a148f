package email

import (
	"bytes"
	"errors"
	"net"
	"strconv"
)

const (
	maxLine    = 128 << 10           // bytes of one line of a server's answer
	maxNesting = 500                 // parentheses open at once in a line; what we ask for needs two
	maxLiteral = MaxSize + (1 << 20) // bytes of one literal
)

// errWire: a server's answer is beyond what any honest server sends.
var errWire = errors.New("imap server's answer is over the limits")

// guard bounds what an IMAP server can make us hold: the parser behind it
// reads lines and nested lists of any size. Lines are limited; the literals of
// FETCH answers, which carry mails, have a limit of their own. What is no
// literal for the parser but looks like one here ends in a parse error there,
// so it cannot be used to hide a long line. Nesting is limited because the
// parser recurses, and describes an error once more at every level.
type guard struct {
	net.Conn
	line    []byte // the last bytes of the line, at most 32
	head    []byte // the first bytes of the line, at most 64
	length  int
	depth   int
	literal int64 // bytes of a literal still to come
	in      bool  // the line goes on after a literal
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if scanErr := g.scan(p[:n]); scanErr != nil {
		g.Conn.Close()
		return 0, scanErr
	}
	return n, err
}

func (g *guard) scan(p []byte) error {
	for len(p) > 0 {
		if g.literal > 0 {
			n := min(g.literal, int64(len(p)))
			g.literal -= n
			p = p[n:]
			continue
		}
		i := bytes.IndexByte(p, '\n')
		chunk := p
		if i >= 0 {
			chunk = p[:i+1]
		}
		p = p[len(chunk):]
		g.length += len(chunk)
		// Counted without regard to quotes: nothing we ask for has text in them.
		g.depth = max(0, g.depth+bytes.Count(chunk, []byte{'('})-bytes.Count(chunk, []byte{')'}))
		if g.length > maxLine || g.depth > maxNesting {
			return errWire
		}
		if len(g.head) < 64 {
			g.head = append(g.head, chunk[:min(len(chunk), 64-len(g.head))]...)
		}
		g.line = append(g.line, chunk[max(0, len(chunk)-32):]...)
		g.line = g.line[max(0, len(g.line)-32):]
		if i < 0 {
			continue
		}
		size, ok := literalSize(g.line)
		if ok && (g.in || fetchLine(g.head)) {
			if size < 0 || size > maxLiteral {
				return errWire
			}
			g.literal, g.in = size, true
			g.line = g.line[:0] // its length goes on counting: one answer, one limit
			continue
		}
		g.line, g.head, g.length, g.depth, g.in = g.line[:0], g.head[:0], 0, 0, false
	}
	return nil
}

// literalSize reads "…{123}\r\n". -1: a number that cannot be.
func literalSize(line []byte) (int64, bool) {
	line, ok := bytes.CutSuffix(bytes.TrimRight(line, "\r\n"), []byte("}"))
	if !ok {
		return 0, false
	}
	i := bytes.LastIndexByte(line, '{')
	if i < 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(line[i+1:]), 10, 64)
	if err != nil {
		return -1, true
	}
	return n, true
}

// fetchLine: "* 12 FETCH (".
func fetchLine(head []byte) bool {
	f := bytes.Fields(head)
	return len(f) >= 3 && len(f[0]) == 1 && f[0][0] == '*' && bytes.EqualFold(f[2], []byte("FETCH"))
}
