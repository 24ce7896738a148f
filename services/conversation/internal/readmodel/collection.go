// Package readmodel is what the hub shows: documents folded from the event
// streams, and the projector that keeps them.
//
//	commits ─► Decode ─► Work (documents loaded once, folded in memory) ─► one docstore.Batch ─► checkpoint
//
// Rules every document keeps, because rebuild, crash and replay rest on them:
//
//   - A document is written from one stream only, so one partition orders its
//     writes, and its Seq is the partition sequence of the last commit in it.
//   - A document at Seq s is a pure function of its stream up to s. Whoever folds
//     the same commit again gets the same document, so a put that is refused
//     for being old loses nothing.
//   - What belongs together but lives on two streams (a customer and the address
//     of his handle) is joined when read.
//
// Counters are the one document written from many streams of a partition; see counts.go.
package readmodel

import (
	"strconv"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Schema is the version of the documents' shape. Documents of another version
// are never read: the projections are rebuilt into a new generation.
const Schema = 4

// Names are the collections of one generation.
type Names struct {
	Timeline, Conversations, Customers, Handles, Units, Repeats, Refs, Changes, Counts, Search string
	// Pairs, Joins and Tombstones are also held in memory, as a person.Graph.
	Pairs, Joins, Tombstones string
	// Checkpoint is the name the applied sequences are kept under.
	Checkpoint string
}

// NamesOf names the collections of a generation, counted from 1.
func NamesOf(generation int) Names {
	v := "_v" + strconv.Itoa(generation)
	return Names{
		Timeline: "timeline" + v, Conversations: "conversations" + v, Customers: "customers" + v,
		Handles: "handles" + v, Units: "units" + v, Repeats: "repeats" + v, Refs: "refs" + v, Changes: "changes" + v, Counts: "counts" + v, Search: "messages_search" + v,
		Pairs: "pairs" + v, Joins: "joins" + v, Tombstones: "tombstones" + v,
		Checkpoint: "readmodel" + v,
	}
}

// All lists the collections in a fixed order.
func (n Names) All() []string {
	return []string{n.Timeline, n.Conversations, n.Customers, n.Handles, n.Refs, n.Counts, n.Search, n.Pairs, n.Joins, n.Tombstones, n.Units, n.Repeats, n.Changes}
}

// Names of indexes.
const (
	ByCustomer     = "customer"
	ByConversation = "conversation"
	ByTranscript   = "transcript"
	ByRef          = "ref"
	ByLast         = "last"
	BySuggested    = "suggested"
	ByA            = "a"
	ByB            = "b"
	ByTopic        = "topic"
	ByHandle       = "handle"
	ByDay          = "day"
	ByLatest       = "latest"

	ByStatus         = "status"
	ByStatusAssignee = "status_assignee"
	ByStatusInbox    = "status_inbox"
	ByStatusBoth     = "status_assignee_inbox"
)

// Collections declares a generation.
//
// Every list of conversations begins with a status: a list over all of them
// merges four index pages, which costs less than four more indexes on every write.
func Collections(generation int) []docstore.Collection {
	n := NamesOf(generation)
	return []docstore.Collection{
		{Name: n.Timeline, Indexes: []docstore.Index{
			{Name: ByCustomer, Prefix: []string{"customer"}, Sort: "position"},
			{Name: ByConversation, Prefix: []string{"conversation"}, Sort: "position"},
			{Name: ByTranscript, Prefix: []string{"transcript"}, Sort: "position"},
		}},
		{Name: n.Conversations, Indexes: []docstore.Index{
			{Name: ByStatus, Prefix: []string{"status"}, Sort: "last"},
			{Name: ByStatusAssignee, Prefix: []string{"status", "assignee"}, Sort: "last"},
			{Name: ByStatusInbox, Prefix: []string{"status", "inbox"}, Sort: "last"},
			{Name: ByStatusBoth, Prefix: []string{"status", "assignee", "inbox"}, Sort: "last"},
			{Name: ByCustomer, Prefix: []string{"customer"}, Sort: "last"},
			{Name: ByTopic, Prefix: []string{"topic"}},
		}},
		{Name: n.Customers, Indexes: []docstore.Index{{Name: ByLast, Prefix: []string{"kind"}, Sort: "last"}}},
		{Name: n.Handles, Indexes: []docstore.Index{{Name: ByCustomer, Prefix: []string{"customer"}}}},
		{Name: n.Units, Indexes: []docstore.Index{{Name: ByHandle, Prefix: []string{"handle"}}}},
		{Name: n.Repeats, Indexes: []docstore.Index{
			{Name: ByDay, Prefix: []string{"day", "kind"}},
			{Name: ByCustomer, Prefix: []string{"customer", "kind"}},
			{Name: ByLatest, Prefix: []string{"kind"}, Sort: "latest"},
		}},
		{Name: n.Refs, Indexes: []docstore.Index{
			{Name: ByRef, Prefix: []string{"ref"}, Sort: "position"},
			{Name: ByConversation, Prefix: []string{"conversation"}, Sort: "position"},
		}},
		{Name: n.Changes, Indexes: []docstore.Index{{Name: ByCustomer, Prefix: []string{"customer"}}}},
		{Name: n.Counts},
		{Name: n.Search, Text: []string{"subject", "text", "names"}, TextFilter: []string{"customer", "conversation"}},
		{Name: n.Pairs, Indexes: []docstore.Index{
			{Name: BySuggested, Prefix: []string{"kind"}, Sort: "suggested"},
			{Name: ByA, Prefix: []string{"a"}, Sort: "b"},
			{Name: ByB, Prefix: []string{"b"}, Sort: "a"},
		}},
		{Name: n.Joins},
		{Name: n.Tombstones},
	}
}
