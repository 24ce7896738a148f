package stream

// Translate is open to tests that look at what leaves.
var Translate = translate
