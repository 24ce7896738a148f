package readmodel

// Canonical is a document as Digest takes it.
var Canonical = canonical

// NewCache makes an empty one.
func NewCache() *Cache { return newCache() }
