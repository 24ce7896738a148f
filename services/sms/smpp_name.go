package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/sms/smpp"
)

const (
	seenCollection  = "sms_smpp_seen"
	partCollection  = "sms_smpp_parts"
	sendCollection  = "sms_smpp_sends"
	idCollection    = "sms_smpp_ids"
	earlyCollection = "sms_smpp_early"
)

// byAge serves pruning: at is in Unix seconds.
var byAge = docstore.Index{Name: "age", Prefix: []string{"inbox"}, Sort: "at"}

var smppCollections = []docstore.Collection{
	{Name: seenCollection, Indexes: []docstore.Index{byAge}},
	{Name: partCollection, Indexes: []docstore.Index{byAge}},
	{Name: sendCollection, Indexes: []docstore.Index{byAge}},
	{Name: idCollection, Indexes: []docstore.Index{byAge}},
	{Name: earlyCollection, Indexes: []docstore.Index{byAge}},
}

// again is how long after a message the same one on a new connection is taken
// for the SMSC handing it over once more.
const again = 10 * time.Minute

// seen is what is remembered of a message without an id.
type seen struct {
	Inbox   string `json:"inbox"`
	At      int64  `json:"at"`
	Session string `json:"session"`
	ID      string `json:"id"`
}

// name is an id for a message. deliver_sm has none of its own. Where the SMSC
// gives one in receipted_message_id, as some do, that is it. Else: the same
// bytes from the same sender on another connection soon after are what the SMSC
// did not hear us acknowledge, so they are the same message. On the same connection they were
// said twice.
func (k *link) name(ctx context.Context, session string, m smpp.Message, p smpp.PDU) (string, error) {
	if v, ok := m.Find(smpp.TagReceiptedID); ok {
		if id := strings.TrimRight(string(v), "\x00"); id != "" {
			return "id-" + clip(id, 100), nil
		}
	}
	now := k.a.now()
	doc := k.inbox + "/" + k.contentName(p.Body)
	var old seen
	found, err := k.a.load(ctx, seenCollection, doc, &old)
	if err != nil {
		return "", err
	}
	if found && old.Session != session && now.Sub(time.Unix(old.At, 0)) < again {
		old.Session = session // the next one here is another message
		return old.ID, k.a.save(ctx, seenCollection, doc, old)
	}
	id := fmt.Sprintf("sm-%s-%s-%d", k.contentName(p.Body), session, p.Seq)
	return id, k.a.save(ctx, seenCollection, doc, seen{Inbox: k.inbox, At: now.Unix(), Session: session, ID: id})
}

// contentName names bytes by a keyed hash: who reads it learns nothing of a short text.
func (k *link) contentName(b []byte) string {
	return k.a.deps.Keys.Hash("sms content", string(b))
}

func (a *Adapter) load(ctx context.Context, collection, id string, into any) (bool, error) {
	d, err := a.deps.State.Get(ctx, collection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(d.JSON, into)
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", collection, err)
	}
	return true, nil
}

func (a *Adapter) save(ctx context.Context, collection, id string, v any) error {
	op, err := put(collection, id, v)
	if err != nil {
		return err
	}
	return a.apply(ctx, op)
}

func put(collection, id string, v any) (docstore.Op, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return docstore.Op{}, fmt.Errorf("encode %s: %w", collection, err)
	}
	return docstore.Op{Collection: collection, Doc: docstore.Doc{ID: id, JSON: b}}, nil
}

func drop(collection, id string) docstore.Op {
	return docstore.Op{Collection: collection, Doc: docstore.Doc{ID: id}, Delete: true}
}

func (a *Adapter) apply(ctx context.Context, ops ...docstore.Op) error {
	if len(ops) == 0 {
		return nil
	}
	if err := a.deps.State.Apply(ctx, docstore.Batch{Ops: ops}); err != nil {
		return fmt.Errorf("note what the SMSC said: %w", err)
	}
	return nil
}
