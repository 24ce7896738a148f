// Package storeid ties the databases that cannot be rebuilt to their data
// directory. A random id stands in each of them and in the directory's list of
// parts. SQLite takes an emptied file for a new one, so without the id a hub
// would begin anew in it: without agents, with keys that open nothing.
package storeid

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/internal/docstore"
)

const collection = "store_id"

// Store is the part of a database that is needed.
type Store interface {
	Declare(ctx context.Context, collections ...docstore.Collection) error
	Get(ctx context.Context, collection, id string) (docstore.Doc, error)
	Apply(ctx context.Context, b docstore.Batch) error
	// Collections are the names of what was ever declared.
	Collections(ctx context.Context) ([]string, error)
}

// Database is a store, the name of its file and what it is for.
type Database struct {
	Name, Holds string
	Store       Store
}

// Directory remembers the id.
type Directory interface {
	Path(names ...string) string
	// Noted says that a part was there before.
	Noted(part string) (bool, error)
	StoreID() (string, error)
	NoteStoreID(id string) error
}

// document is stored under the name of the file. Names stay.
type document struct {
	ID string `json:"id"`
}

// mark is what a database says of itself.
type mark struct {
	Database
	id   string // "": none
	used bool   // it holds something
}

// Check refuses databases that lack the directory's id or have another. Those
// of a new directory, and of one from before there were ids, get it. Call it
// before anything else is declared in them.
func Check(ctx context.Context, dir Directory, databases ...Database) error {
	id, err := dir.StoreID()
	if err != nil {
		return err
	}
	known := id // what the directory itself says
	var marks []mark
	used := "" // a database that holds something
	for _, db := range databases {
		m, err := read(ctx, db)
		if err != nil {
			return fmt.Errorf("read the id of %s: %w", db.Name, err)
		}
		if m.used {
			used = db.Name
		}
		if id == "" {
			id = m.id // of a restored directory, or of a first start that was interrupted
		}
		marks = append(marks, m)
	}
	for _, m := range marks {
		before, err := dir.Noted(m.Name)
		if err != nil {
			return err
		}
		switch {
		case m.id != "" && m.id != id:
			return fmt.Errorf("data directory %s: %s belongs to another data directory (its id is %s, here it is %s): put the right file back, and its -wal, or restore a backup", dir.Path(), m.Name, m.id, id)
		case m.id == "" && !m.used && (before || used != ""), m.id == "" && before && known != "":
			return fmt.Errorf("data directory %s: %s was emptied or replaced: it lacks the id of this directory, and so %s that it held; put the file back, and its -wal, or restore a backup", dir.Path(), m.Name, m.Holds)
		}
	}
	if id == "" {
		b := make([]byte, 16)
		if _, err := rand.Read(b); err != nil {
			return fmt.Errorf("make the id of the data directory: %w", err)
		}
		id = hex.EncodeToString(b)
	}
	for _, m := range marks {
		if m.id == "" {
			if err := write(ctx, m.Database, id); err != nil {
				return fmt.Errorf("write the id of %s: %w", m.Name, err)
			}
		}
	}
	if known != "" {
		return nil
	}
	return dir.NoteStoreID(id)
}

// read declares nothing: a file that is refused stays as it is.
func read(ctx context.Context, db Database) (mark, error) {
	names, err := db.Store.Collections(ctx)
	if err != nil {
		return mark{}, err
	}
	m := mark{Database: db, used: slices.ContainsFunc(names, func(n string) bool { return n != collection })}
	if !slices.Contains(names, collection) {
		return m, nil
	}
	if err := db.Store.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return m, err
	}
	d, err := db.Store.Get(ctx, collection, db.Name)
	if errors.Is(err, docstore.ErrNotFound) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	var doc document
	err = json.Unmarshal(d.JSON, &doc)
	m.id = doc.ID
	return m, err
}

func write(ctx context.Context, db Database, id string) error {
	doc, err := json.Marshal(document{id})
	if err != nil {
		return err
	}
	if err := db.Store.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return err
	}
	return db.Store.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: collection, Doc: docstore.Doc{ID: db.Name, JSON: doc}}}})
}
