package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/ledger"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// erasePublic takes the public events of who was erased out of a backup's copy
// of PUB: they are the one thing in it that no key ever sealed. The copy is
// loaded into a server of its own, the events are written over, and the copy is
// taken anew. changed: the manifest has the new one.
func (m *Manifest) erasePublic(ctx context.Context, dir string, entries []ledger.Entry) (changed bool, err error) {
	var pub *Stream
	for i := range m.Streams {
		if m.Streams[i].Name == subject.StreamPub {
			pub = &m.Streams[i]
		}
	}
	if pub == nil || pub.Messages == 0 {
		return false, nil
	}
	work := filepath.Join(dir, erasing+".work")
	if err := os.RemoveAll(work); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	r := &restorer{m: &Manifest{Streams: []Stream{*pub}}, from: dir, to: work}
	nats := filepath.Join(work, "nats")
	if err := os.MkdirAll(nats, 0o700); err != nil {
		return false, err
	}
	if err := r.load(ctx, nats); err != nil {
		return false, err
	}
	e, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: nats, MaxStore: 1 << 50})
	if err != nil {
		return false, err
	}
	defer e.Close()
	bus, err := e.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer bus.NC.Close()
	for _, filter := range publicOf(entries) {
		err := bus.EachOn(ctx, pub.Name, filter, 1, func(s natsbus.Stored) error {
			if strings.HasSuffix(s.Subject, "erased") {
				return nil
			}
			changed = true
			return bus.Erase(ctx, pub.Name, s.Seq)
		})
		if err != nil {
			return false, err
		}
	}
	if !changed {
		return false, nil
	}
	return true, pub.retake(ctx, bus, dir)
}

// publicOf are the subjects that speak of who was erased.
func publicOf(entries []ledger.Entry) []string {
	var out []string
	add := func(tenant, noun, id string) {
		if subject.ValidToken(id) {
			out = append(out, fmt.Sprintf("weftline.v1.%s.event.%s.%s.*", tenant, noun, id))
		}
	}
	for _, e := range entries {
		if e.Kind == ledger.KindRetired {
			add(e.Tenant, "conversation", e.Conversation)
			continue
		}
		add(e.Tenant, "customer", e.Customer)
		for _, c := range e.Conversations {
			add(e.Tenant, "conversation", c)
		}
	}
	return out
}

// retake writes the stream's copy again and puts it in the old one's place.
func (st *Stream) retake(ctx context.Context, bus *natsbus.Bus, dir string) error {
	temp := st.File + ".new"
	if err := os.Remove(filepath.Join(dir, filepath.FromSlash(temp))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := create(dir, temp)
	if err != nil {
		return err
	}
	s, err := beginSnapshot(ctx, bus.NC, st.Name)
	if err == nil {
		err = s.receive(ctx, f)
	}
	if err != nil {
		return errors.Join(err, f.f.Close())
	}
	if _, err := f.finish(); err != nil {
		return err
	}
	var at struct {
		Messages uint64 `json:"messages"`
		First    uint64 `json:"first_seq"`
		Last     uint64 `json:"last_seq"`
	}
	if err := json.Unmarshal(s.State, &at); err != nil {
		return fmt.Errorf("read the state of stream %s: %w", st.Name, err)
	}
	st.Config, st.State, st.Messages, st.First, st.Last = s.Config, s.State, at.Messages, at.First, at.Last
	if err := os.Rename(filepath.Join(dir, filepath.FromSlash(temp)), filepath.Join(dir, filepath.FromSlash(st.File))); err != nil {
		return err
	}
	return syncDir(filepath.Dir(filepath.Join(dir, filepath.FromSlash(st.File))))
}

// publicFile is where the copy of PUB is, "" for none.
func (m *Manifest) publicFile() string {
	for _, s := range m.Streams {
		if s.Name == subject.StreamPub {
			return s.File
		}
	}
	return ""
}
