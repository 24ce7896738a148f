package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/visible"
)

// collection keeps the inboxes made in the console; settings are sealed.
const collection = "inboxes"

// pollEvery is how soon an inbox made in another process is noticed here.
const pollEvery = 5 * time.Second

// ErrReadOnly: the inbox is configured in the file or belongs to the demo.
var ErrReadOnly = errors.New("inbox is not configured in the console")

// Book is the Registry: fixed inboxes (file, demo) and those of the console.
type Book struct {
	docs  docstore.Store
	keys  crypt.Keyring
	kinds map[string]Channel
	log   *slog.Logger

	mu      sync.Mutex
	fixed   map[string]Inbox
	console map[string]Inbox
	paused  map[string]time.Time // by an agent, since when; those the file pauses say so themselves
	health  map[string]Health
	changed chan struct{} // closed and replaced at every change
}

var _ Registry = (*Book)(nil)

// NewBook reads the console's inboxes. A fixed inbox wins over one of the console with its id.
func NewBook(ctx context.Context, docs docstore.Store, keys crypt.Keyring, kinds []Channel, fixed []Inbox, log *slog.Logger) (*Book, error) {
	if err := docs.Declare(ctx, docstore.Collection{Name: collection}, docstore.Collection{Name: pauses}); err != nil {
		return nil, fmt.Errorf("declare inboxes: %w", err)
	}
	b := &Book{
		docs: docs, keys: keys, log: log, kinds: map[string]Channel{},
		fixed: map[string]Inbox{}, console: map[string]Inbox{}, health: map[string]Health{}, changed: make(chan struct{}),
	}
	for _, k := range kinds {
		b.kinds[k.Name] = k
	}
	for _, in := range fixed {
		in.Settings, in.PausedInFile = b.withDefaults(in), in.Paused
		b.fixed[in.ID] = in
	}
	return b, b.reload(ctx)
}

// Channels lists the kinds of inboxes there are, by name.
func (b *Book) Channels() []Channel {
	out := slices.Collect(maps.Values(b.kinds))
	slices.SortFunc(out, func(x, y Channel) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// Run notices inboxes that other processes add, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := b.reload(ctx); err != nil && ctx.Err() == nil {
				b.log.Warn("inboxes could not be read again", "error", err)
			}
		}
	}
}

// List implements Registry.
func (b *Book) List(channel string) []Inbox {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.list(channel)
}

func (b *Book) list(channel string) []Inbox {
	all := maps.Clone(b.console)
	maps.Copy(all, b.fixed)
	var out []Inbox
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if in := all[id]; channel == "" || in.Channel == channel {
			in.Settings = maps.Clone(in.Settings)
			in.Paused = in.Paused || b.isPaused(id)
			out = append(out, in)
		}
	}
	return out
}

// Get implements Registry.
func (b *Book) Get(id string) (Inbox, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in, ok := b.fixed[id]
	if !ok {
		in, ok = b.console[id]
	}
	in.Settings = maps.Clone(in.Settings)
	in.Paused = in.Paused || b.isPaused(id)
	return in, ok
}

// Watch implements Registry.
func (b *Book) Watch(ctx context.Context, channel string, fn func([]Inbox)) {
	for {
		b.mu.Lock()
		list, changed := b.list(channel), b.changed
		b.mu.Unlock()
		fn(slices.DeleteFunc(list, func(in Inbox) bool { return in.Paused }))
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// AddFixed adds an inbox that is known only after the start (the demo's ports).
func (b *Book) AddFixed(in Inbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in.Settings, in.PausedInFile = b.withDefaults(in), in.Paused
	b.fixed[in.ID] = in
	b.notify()
}

// SetHealth implements Registry.
func (b *Book) SetHealth(id string, h Health) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.health[id]
	if h.LastIn.IsZero() {
		h.LastIn = old.LastIn
	}
	if h.LastOut.IsZero() {
		h.LastOut = old.LastOut
	}
	if h.State == "" {
		h.State, h.Detail = old.State, old.Detail
	}
	h.LastError, h.LastErrorAt = old.LastError, old.LastErrorAt
	if h.State != "ok" && h.Detail != "" && (h.State != old.State || h.Detail != old.Detail) {
		h.LastError, h.LastErrorAt = h.Detail, time.Now().UTC()
	}
	h.Since = old.Since
	if h.State != old.State || h.Since.IsZero() {
		h.Since = time.Now().UTC()
	}
	b.health[id] = h
}

// Health implements Registry. An inbox nobody reported on is "connecting".
func (b *Book) Health(id string) Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.health[id]
	if b.isPaused(id) || b.fixed[id].Paused {
		h.State, h.Detail, h.Since = StatePaused, "", b.paused[id]
		return h
	}
	if h.State == "" {
		h.State = "connecting"
	}
	return h
}

// unseen characters make a name that customers and agents see another than it is.
func unseen(r rune) bool { return visible.Hidden(r) }

// stored is the document; secrets and all other settings are under the inbox's own key.
type stored struct {
	Channel  string       `json:"channel"`
	Name     string       `json:"name"`
	Settings crypt.Sealed `json:"settings"`
}

// Save implements Registry. Secrets left empty keep their stored value; where
// that would now be sent to another host it is a *SecretError, and where it is used no more, or in.Forget names it, it goes.
func (b *Book) Save(ctx context.Context, in Inbox) (Inbox, error) {
	if !subject.ValidToken(in.ID) {
		return in, fmt.Errorf("id: %q is not allowed: 1 to 64 of a-z A-Z 0-9 _ -", in.ID)
	}
	if strings.ContainsFunc(in.Name, unseen) {
		return in, errors.New("name: holds control characters or ones that change the direction of text")
	}
	if n := len([]rune(in.Name)); n == 0 || n > 100 {
		return in, fmt.Errorf("name: %d characters, allowed are 1 to 100", n)
	}
	kind, ok := b.kinds[in.Channel]
	if !ok {
		return in, fmt.Errorf("channel: %q is not allowed: one of %s", in.Channel, strings.Join(slices.Sorted(maps.Keys(b.kinds)), ", "))
	}
	old, exists := b.Get(in.ID)
	if exists && old.Source != SourceConsole {
		return in, fmt.Errorf("id: %s: %w", in.ID, ErrReadOnly)
	}
	if exists && old.Channel != in.Channel {
		return in, fmt.Errorf("channel: an inbox cannot change from %s to %s", old.Channel, in.Channel)
	}
	if err := b.keepSecrets(&in, kind, old); err != nil {
		return in, err
	}
	in.Source, in.Rev = SourceConsole, old.Rev+1
	plain, err := json.Marshal(in.Settings)
	if err != nil {
		return in, fmt.Errorf("encode settings: %w", err)
	}
	sealed, err := b.keys.Seal(ctx, "inbox/"+in.ID, plain, []byte("inbox/"+in.ID))
	if err != nil {
		return in, fmt.Errorf("seal settings: %w", err)
	}
	doc, err := json.Marshal(stored{Channel: in.Channel, Name: in.Name, Settings: sealed})
	if err != nil {
		return in, fmt.Errorf("encode inbox: %w", err)
	}
	op := docstore.Op{Collection: collection, Doc: docstore.Doc{ID: in.ID, Seq: uint64(in.Rev), JSON: doc}, Create: !exists}
	if exists {
		op.IfRev = uint64(old.Rev)
	}
	if err := b.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return in, fmt.Errorf("save inbox %s: %w", in.ID, err)
	}
	return in, b.reload(ctx)
}

func (b *Book) keepSecrets(in *Inbox, kind Channel, old Inbox) error {
	in.Settings = b.withDefaults(*in)
	for _, s := range kind.Settings {
		if !s.Secret || in.Settings[s.Key] != "" || old.Settings[s.Key] == "" || slices.Contains(in.Forget, s.Key) {
			continue
		}
		by := kind.Moved(s, in.Settings, old.Settings)
		switch {
		case by == "":
			in.Settings[s.Key] = old.Settings[s.Key]
		case kind.Asked(s.When, in.Settings):
			return &SecretError{s.Key, by}
		}
	}
	in.Forget = nil
	if kind.Check != nil {
		if err := kind.Check(in.Settings); err != nil {
			return err
		}
	}
	return kind.Refers(in.Settings, Find(b))
}

// Delete implements Registry. What came in through the inbox stays.
func (b *Book) Delete(ctx context.Context, id string) error {
	old, ok := b.Get(id)
	if !ok {
		return fmt.Errorf("inbox %s: %w", id, docstore.ErrNotFound)
	}
	if old.Source != SourceConsole {
		return fmt.Errorf("inbox %s: %w", id, ErrReadOnly)
	}
	ops := []docstore.Op{
		{Collection: collection, Doc: docstore.Doc{ID: id}, Delete: true},
		{Collection: pauses, Doc: docstore.Doc{ID: id}, Delete: true},
	}
	if err := b.docs.Apply(ctx, docstore.Batch{Ops: ops}); err != nil {
		return fmt.Errorf("delete inbox %s: %w", id, err)
	}
	return b.reload(ctx)
}

func (b *Book) withDefaults(in Inbox) map[string]string {
	out := map[string]string{}
	for _, s := range b.kinds[in.Channel].Settings {
		if s.Default != "" {
			out[s.Key] = s.Default
		}
	}
	for k, v := range in.Settings {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

func (b *Book) reload(ctx context.Context) error {
	found := map[string]Inbox{}
	err := b.docs.Scan(ctx, collection, func(d docstore.Doc) error {
		var s stored
		if err := json.Unmarshal(d.JSON, &s); err != nil {
			return fmt.Errorf("inbox %s: %w", d.ID, err)
		}
		plain, err := b.keys.Open(ctx, s.Settings, []byte("inbox/"+d.ID))
		if err != nil {
			return fmt.Errorf("inbox %s: settings: %w", d.ID, err)
		}
		in := Inbox{ID: d.ID, Channel: s.Channel, Name: s.Name, Source: SourceConsole, Rev: int64(d.Seq)}
		if err := json.Unmarshal(plain, &in.Settings); err != nil {
			return fmt.Errorf("inbox %s: settings: %w", d.ID, err)
		}
		found[d.ID] = in
		return nil
	})
	if err != nil {
		return fmt.Errorf("read inboxes: %w", err)
	}
	paused, err := b.loadPauses(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	same := maps.EqualFunc(found, b.console, func(x, y Inbox) bool { return x.Rev == y.Rev })
	same = same && maps.EqualFunc(paused, b.paused, time.Time.Equal)
	b.console, b.paused = found, paused
	if !same {
		b.notify()
	}
	return nil
}

func (b *Book) notify() {
	close(b.changed)
	b.changed = make(chan struct{})
}
