// Package docstore keeps read models (and the few things that are not
// rebuildable: keys, agents, drafts, cursors) behind one narrow contract with
// two engines: SQLite in one file, and MongoDB.
//
// It is no ORM and no query language. A collection declares its indexes; a
// query names one of them: equality prefix, one sort key, keyset page. If a
// read model needs more, give it another shape.
package docstore

import (
	"context"
	"errors"
)

// Collection declares documents of one kind. Field names in indexes are
// top-level JSON names; values are strings, int64s or bools (a bool compares
// as 0 or 1), and one field has one type in all documents. Names match [a-z0-9_]+.
//
// A document in which a field of an index is missing or null is not in that
// index: List and Count do not see it, Unique does not bind it. A value of
// another type is refused when the document is put.
type Collection struct {
	Name    string
	Indexes []Index
	// Text names string fields that Search looks in, all together; TextFilter
	// fields can narrow a search by equality.
	Text       []string
	TextFilter []string
}

// Index serves List and Count: equality on Prefix fields, then order by Sort
// and document id; by the id alone when Sort is empty. Strings are ordered by
// their bytes. Unique refuses a second document with the same Prefix with
// ErrExists (Sort must be empty).
type Index struct {
	Name   string
	Prefix []string
	Sort   string // a field, unique together with the document id
	Unique bool
}

// Limits. Beyond them a write or query is refused with an error that names the field.
const (
	MaxID       = 1024    // bytes of a document id; UTF-8 without NUL
	MaxDocument = 8 << 20 // bytes of a document's JSON, which must be one object
	MaxPage     = 5000
	MaxWords    = 512 // bytes of SearchQuery.Words
)

// Doc is one document: JSON with explicit names; id is outside of it.
type Doc struct {
	ID string
	// Seq guards (at most 1<<63-1): a put or delete with a Seq not greater than
	// the stored one changes nothing and is no error. A guarded delete leaves
	// its id and Seq behind, so an older put that is replayed after it changes
	// nothing either. 0 means unguarded: the last write wins, and whoever mixes
	// it with guarded writes on one id gives up the guard.
	Seq  uint64
	JSON []byte
}

// Query asks one index for a page.
type Query struct {
	Index  string
	Prefix []any // values for the first len(Prefix) fields of the index's Prefix; all of them are required
	Desc   bool
	Limit  int    // 1..MaxPage
	After  string // token of the last item of the page before; empty: first page
	// From and To bound the sort key (the id when the index has no Sort) when set: From ≤ key < To.
	From, To any
}

// Item is a found document and the token that continues after it.
type Item struct {
	Doc
	Token string
}

// Op is one step of a Batch.
type Op struct {
	Collection string
	Doc        Doc
	Delete     bool // guarded by Doc.Seq like a put
	// Create: fail with ErrExists when the id is there (not guarded by Seq). A
	// deleted document is not there.
	Create bool
	// IfRev > 0: only when the stored document's Seq equals IfRev, else
	// ErrStale. Doc.Seq must be greater; 0 stands for IfRev+1, or for a delete
	// that leaves nothing behind.
	IfRev uint64
}

// Checkpoint says how far a projection has applied a partition. It never goes
// back: a smaller Seq than the stored one changes nothing, DropCheckpoints starts over.
type Checkpoint struct {
	Name      string
	Partition int
	Seq       uint64
}

// Batch is applied in order. On SQLite it is one transaction, checkpoints
// included: an error leaves nothing of it. On MongoDB operations come first,
// then the checkpoint, and an error leaves what came before it, so every
// operation must be idempotent by its Seq. There the order holds within a
// collection, and around operations with Create or IfRev; between those,
// operations are gathered by collection to save round trips.
type Batch struct {
	Ops         []Op
	Checkpoints []Checkpoint
}

// Errors callers branch on.
var (
	ErrNotFound = errors.New("document not found")
	ErrExists   = errors.New("document exists already")
	ErrStale    = errors.New("document changed meanwhile")
	ErrBadToken = errors.New("page token is not valid")
)

// SearchQuery finds documents whose Text fields hold all words (prefix match
// on the last). Words are runs of letters and digits, compared without case
// and accents; scripts written without spaces are compared character by
// character. Anything else in Words separates, nothing in it is syntax; without
// any word nothing is found. The order is the engine's (newest first where ids
// grow with time) and does not change while paging.
type SearchQuery struct {
	Words  string
	Filter map[string]any // TextFilter fields
	Limit  int            // 1..MaxPage
	After  string
}

// Store is a database. Safe for concurrent use; one writer at a time inside.
type Store interface {
	// Declare creates collections and indexes, idempotently. Call it before any other use of them.
	Declare(ctx context.Context, collections ...Collection) error
	// Get returns one document or ErrNotFound.
	Get(ctx context.Context, collection, id string) (Doc, error)
	// GetMany returns the documents found, in the order asked, missing ones with nil JSON.
	GetMany(ctx context.Context, collection string, ids ...string) ([]Doc, error)
	// List returns the next items of a query, fewer than Limit at its end.
	// A token continues only the query it came from (From, To and Limit may
	// change), whatever was put or deleted since; any other is ErrBadToken.
	List(ctx context.Context, collection string, q Query) ([]Item, error)
	// Count counts an index prefix up to limit (0: no limit).
	Count(ctx context.Context, collection, index string, prefix []any, limit int) (int64, error)
	Search(ctx context.Context, collection string, q SearchQuery) ([]Item, error)
	// Apply returns when the batch is as durable as the engine was opened for.
	Apply(ctx context.Context, b Batch) error
	// Checkpoint returns the stored position, 0 when there is none.
	Checkpoint(ctx context.Context, name string, partition int) (uint64, error)
	// Scan walks a whole collection by id, for verify and backup. It is not a
	// snapshot: fn may write. fn's error ends it and is returned.
	Scan(ctx context.Context, collection string, fn func(Doc) error) error
	// Drop empties a collection and removes its indexes; Declare it again before
	// other use. A collection that is not there is no error.
	Drop(ctx context.Context, collection string) error
	DropCheckpoints(ctx context.Context, name string) error
	// Backup writes a consistent copy to dir (SQLite), or says that the engine's own tools do it (ErrUnsupported).
	Backup(ctx context.Context, dir string) error
	Ping(ctx context.Context) error
	Close() error
}

// Scrubber is what an engine offers when deleted bytes may linger in its files
// (SQLite's write-ahead log). Scrub returns when they are overwritten or cut
// off; it is part of destroying a key or erasing a person.
type Scrubber interface {
	Scrub(ctx context.Context) error
}

// ErrUnsupported: this engine leaves the matter to its own tools.
var ErrUnsupported = errors.New("not supported by this engine")
