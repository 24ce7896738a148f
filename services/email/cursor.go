package email

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

const cursorCollection = "email_cursors"

// cursor says how far a folder was taken in. It moves only after what it
// passes is durable; a crash in between takes a mail in twice, and the hub
// keeps it once.
type cursor struct {
	Inbox       string `json:"inbox"`
	Folder      string `json:"folder"`
	UIDValidity uint32 `json:"uid_validity"`
	// Last is the highest UID taken in or passed over for good.
	Last uint32 `json:"last"`
	// From is set where the inbox began with "now": mails the server got
	// before it are passed over if the folder is read anew.
	From time.Time `json:"from,omitzero"`
	// ModSeq is the highest mod-sequence there was when Last was set; 0: unknown.
	ModSeq uint64 `json:"mod_seq,omitempty"`
	// Known is the newest mail taken in or passed over, to recognise it.
	Known known `json:"known,omitzero"`
	// Restored counts how often the folder was put back to an earlier state.
	Restored int `json:"restored,omitempty"`
}

// known is a mail as it was listed.
type known struct {
	UID  uint32    `json:"uid"`
	Size int64     `json:"size"`
	At   time.Time `json:"at,omitzero"`
}

// pass moves the cursor behind mails that were listed.
func (c *cursor) pass(mails []listed) {
	for _, m := range mails {
		c.ModSeq = max(c.ModSeq, m.modSeq)
	}
	m := mails[len(mails)-1]
	c.Last, c.Known = uint32(m.uid), known{UID: uint32(m.uid), Size: m.size, At: m.at}
}

func cursorID(inbox, folder string) string { return inbox + "." + hex.EncodeToString([]byte(folder)) }

func (s *Service) loadCursor(ctx context.Context, inbox, folder string) (cursor, bool, error) {
	c := cursor{Inbox: inbox, Folder: folder}
	d, err := s.state.Get(ctx, cursorCollection, cursorID(inbox, folder))
	if errors.Is(err, docstore.ErrNotFound) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("load cursor of folder: %w", err)
	}
	if err := json.Unmarshal(d.JSON, &c); err != nil {
		return c, false, fmt.Errorf("load cursor of folder: %w", err)
	}
	return c, true, nil
}

// everRead says whether the mailbox was read at all, as far as can be told: of
// one in which there never was a mail nothing is kept.
func (s *Service) everRead(ctx context.Context, inbox string, c config) bool {
	_, found, err := s.loadCursor(ctx, inbox, c.folders[0])
	return found || err != nil
}

func (s *Service) saveCursor(ctx context.Context, c cursor) error {
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("save cursor of folder: %w", err)
	}
	err = s.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: cursorCollection, Doc: docstore.Doc{ID: cursorID(c.Inbox, c.Folder), JSON: b}}}})
	if err != nil {
		return fmt.Errorf("save cursor of folder: %w", err)
	}
	return nil
}
