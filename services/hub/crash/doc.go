// Package crash kills a whole hub with SIGKILL while customers write and agents
// answer, and compares what the world outside knows with what the hub shows.
//
//	mailbox ── thousands of mails, some twice ──►┐
//	visitors ── send until acknowledged ────────►├─ hub ── SMTP ──► sink counts by Message-ID
//	agents ── reply until accepted ─────────────►┘   ▲
//	                                                 └ SIGKILL, restart, SIGKILL, restart …
//
// The ledger is kept by code that is no part of the hub. After the last
// restart every accepted message must be in exactly one timeline entry, in its
// sender's order; every reply sent once or shown as unknown; no conversation
// that nobody had; and read models that equal a rebuild.
//
// Everything is in the tests. WEFTLINE_TEST_CRASH is the number of kills, 3 by
// default; .ci/crash does 100.
package crash
