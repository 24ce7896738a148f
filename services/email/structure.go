package email

import (
	"bytes"
	"strconv"
	"strings"
)

// node is one part of a mail: a slice of the raw bytes, nothing decoded.
type node struct {
	id       string // "" the mail itself, else "1", "1.2": position in the tree, as IMAP numbers it
	header   header
	ctype    mediaType
	disp     mediaType
	body     []byte // still encoded; of a multipart: all of it
	children []*node
}

func (n *node) multipart() bool { return strings.HasPrefix(n.ctype.value, "multipart/") }

// scan finds the structure of a mail. It holds every limit before anything is
// decoded or copied: the parts are slices of raw. A forwarded message
// (message/rfc822) is one part and not looked into.
//
// Every line is looked at once for each multipart around it, so the work is
// at most MaxDepth passes over raw. See the README for why the boundaries are
// looked for here, where they are counted, and not by a MIME library.
func scan(raw []byte) (*node, error) {
	if len(raw) > MaxSize {
		return nil, ErrSize
	}
	s := scanner{}
	return s.node(raw, "", "text/plain", 0)
}

type scanner struct{ parts int }

func (s *scanner) node(raw []byte, id, defaultType string, depth int) (*node, error) {
	s.parts++
	if s.parts > MaxParts {
		return nil, ErrParts
	}
	h, body, err := splitHeader(raw)
	if err != nil {
		return nil, err
	}
	n := &node{id: id, header: h, body: body}
	n.ctype = parseMediaType(h.get("content-type"))
	if !strings.Contains(n.ctype.value, "/") {
		switch n.ctype.value {
		case "text":
			n.ctype.value = "text/plain"
		case "":
			n.ctype.value = defaultType
		default:
			n.ctype.value = "application/octet-stream"
		}
	}
	n.disp = parseMediaType(h.get("content-disposition"))
	if !n.multipart() {
		return n, nil
	}
	boundary := n.ctype.params["boundary"]
	if boundary == "" || len(boundary) > 1000 {
		n.ctype.value = "text/plain" // nothing to split at: show what is there
		return n, nil
	}
	if depth >= MaxDepth {
		return nil, ErrDepth
	}
	childType := "text/plain"
	if n.ctype.value == "multipart/digest" {
		childType = "message/rfc822"
	}
	pieces, err := split(body, boundary, MaxParts-s.parts)
	if err != nil {
		return nil, err
	}
	for i, piece := range pieces {
		cid := strconv.Itoa(i + 1)
		if id != "" {
			cid = id + "." + cid
		}
		child, err := s.node(piece, cid, childType, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	if len(n.children) == 0 {
		n.ctype.value = "text/plain" // the boundary never comes: show the body
	}
	return n, nil
}

// split cuts a multipart body at its boundary lines (RFC 2046 §5.1.1). The
// line end before a boundary belongs to the boundary. Without a closing line
// the last part reaches to the end.
func split(body []byte, boundary string, limit int) ([][]byte, error) {
	var parts [][]byte
	delim := []byte("--" + boundary)
	start := -1
	for pos := 0; pos < len(body); {
		i := bytes.Index(body[pos:], delim)
		if i < 0 {
			break
		}
		at := pos + i
		lineEnd := bytes.IndexByte(body[at:], '\n')
		next := len(body)
		if lineEnd >= 0 {
			next = at + lineEnd + 1
		}
		tail := bytes.TrimRight(body[at+len(delim):next], " \t\r\n")
		closing := bytes.Equal(tail, []byte("--"))
		if at > 0 && body[at-1] != '\n' || len(tail) != 0 && !closing {
			// Not a boundary line. Only what was compared is passed over: a boundary may begin inside.
			pos = at + 2
			if j := bytes.IndexByte(body[at:], '\n'); j >= 0 && at+j+1 > pos {
				pos = at + j + 1
			} else if j < 0 {
				break
			}
			continue
		}
		if start >= 0 {
			if len(parts) >= limit {
				return nil, ErrParts
			}
			parts = append(parts, trimLineEnd(body[start:at]))
		}
		start = next
		if closing {
			return parts, nil
		}
		pos = next
	}
	if start >= 0 && start < len(body) {
		if len(parts) >= limit {
			return nil, ErrParts
		}
		parts = append(parts, body[start:])
	}
	return parts, nil
}

func trimLineEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte{'\n'}), []byte{'\r'})
}

// walk calls fn for every leaf in order.
func (n *node) walk(fn func(*node)) {
	if len(n.children) == 0 {
		fn(n)
		return
	}
	for _, c := range n.children {
		c.walk(fn)
	}
}
