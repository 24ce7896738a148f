// Package law holds no code but the tests of the domain's laws: random
// histories over the real domain, ingest and commands on the store in memory.
//
// Every process is a coroutine that is suspended before each load and each
// append (process_test.go). The test draws who goes on, who crashes before or
// after an append, whose answer is lost, how far the read models lag behind and
// how wrong each clock is (world_test.go), and what comes in (history_test.go).
//
// That the laws can fail is shown by planted faults (planted_test.go): each
// one takes away one thing the design rests on, and a law falls.
package law
