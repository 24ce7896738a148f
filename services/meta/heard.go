package meta

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// maxHeard bounds what is remembered: the newest.
const maxHeard = 20_000

// heard remembers what Meta has shown of our sends (an echo, a status), so that
// a send whose answer was lost can be looked up. It lives as long as the process; after that
// a send stays unknown until its status comes.
type heard struct {
	mu    sync.Mutex
	ids   map[string]string // of the provider, by mark
	order []string
}

func newHeard() *heard { return &heard{ids: map[string]string{}} }

func (h *heard) note(inboxID, mark, providerID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := inboxID + "/" + mark
	if _, ok := h.ids[key]; ok {
		return
	}
	h.ids[key] = providerID
	if h.order = append(h.order, key); len(h.order) > maxHeard {
		delete(h.ids, h.order[0])
		h.order = h.order[1:]
	}
}

func (h *heard) find(inboxID, mark string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id, ok := h.ids[inboxID+"/"+mark]
	return id, ok
}

// mark goes out with each call of a send and comes back with what Meta says of
// it: a tag that only this hub can make, the message, and which of its parts.
func (p *platform) mark(inboxID, outbound string, part, of int) string {
	return strings.Join([]string{"wl1", p.tag(inboxID, outbound), strconv.Itoa(part), strconv.Itoa(of), outbound}, ".")
}

func (p *platform) tag(inboxID, outbound string) string {
	if p.deps.Keys == nil {
		return "-"
	}
	return p.deps.Keys.Hash(p.name+" mark", inboxID, outbound)[:12]
}

// ours says whether this hub made a mark: others may send through the same account.
func (p *platform) ours(inboxID, mark string) bool {
	m, ok := readMark(mark)
	return ok && m.tag == p.tag(inboxID, m.outbound)
}

type sentMark struct {
	tag, outbound string
	part, of      int
}

func readMark(s string) (m sentMark, ok bool) {
	f := strings.SplitN(s, ".", 5)
	if len(f) != 5 || f[0] != "wl1" || f[4] == "" || len(f[4]) > 200 {
		return m, false
	}
	var errs [2]error
	m.tag, m.outbound = f[1], f[4]
	m.part, errs[0] = strconv.Atoi(f[2])
	m.of, errs[1] = strconv.Atoi(f[3])
	return m, errors.Join(errs[:]...) == nil && m.part >= 0 && m.part < m.of
}

var errNotHeard = errors.New("nothing has been shown of it yet")

// look finds all parts of a message among what was heard.
func (p *platform) look(_ context.Context, out channel.Outbound, parts int) (channel.Receipt, error) {
	var ids []string
	for i := range parts {
		id, ok := p.heard.find(out.Inbox, p.mark(out.Inbox, out.ID, i, parts))
		if !ok {
			return channel.Receipt{}, fmt.Errorf("look up: %w", errNotHeard)
		}
		ids = append(ids, id)
	}
	return hosted.Ended(out, p.now(), ids, parts, nil)
}
