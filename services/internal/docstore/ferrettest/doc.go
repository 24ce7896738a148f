// Package ferrettest is a smoke test of docstore's MongoDB engine over the
// wire: the conformance suite, single-threaded and in small batches, against
// FerretDB v1 in this process. It is a module of its own so that FerretDB is
// no dependency of anything that runs.
//
//	cd services/internal/docstore/ferrettest
//	GOWORK=off go test -tags ferretdb_no_postgresql ./...
//
// It shows that commands, filters, replies and errors are what a server that
// speaks MongoDB's protocol understands. It cannot show that updates are
// atomic, that guards hold between concurrent writers, that unique indexes
// hold, that writes are retried or survive a failover, that a majority has
// them, or that indexes are used: FerretDB v1 has lost updates, no retryable
// writes and no index scans, and reports a broken unique index as its own
// internal error. For
// that the suite has to run against a replica set (WEFTLINE_TEST_MONGODB_URI;
// see docs/mongodb.md).
package ferrettest
