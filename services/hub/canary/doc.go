// Package canary plants words all over a hub, erases whom they belong to, and
// looks for them in every byte that is left: of the data directory, of a copy of
// it, of backups made before and after, and of hubs restored from those. Between
// the steps of the erasure the hub is killed.
//
// Everything is in the tests.
package canary
