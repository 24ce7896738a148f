package audit

// Chain makes messages as a Log would, for tests that have no server: each
// batch after the one before it.
func Chain(batches ...[]Entry) (messages [][]byte, last Anchor, err error) {
	at := head{}
	for _, b := range batches {
		data, next, err := seal(at, b)
		if err != nil {
			return nil, last, err
		}
		messages, at = append(messages, data), next
	}
	return messages, Anchor{N: at.n, Hash: at.hash, Seq: uint64(len(messages))}, nil
}

// Forge seals entries after any entry, as somebody who knows how would.
func Forge(after Anchor, entries ...Entry) ([]byte, Anchor, error) {
	data, next, err := seal(head{after.N, after.Hash}, entries)
	return data, Anchor{N: next.n, Hash: next.hash}, err
}

// SwapBoxes exchanges the boxes of two entries, each in a message of its own,
// and seals the chain anew.
func SwapBoxes(a, b []byte) ([][]byte, error) {
	x, err := open(a)
	if err != nil {
		return nil, err
	}
	y, err := open(b)
	if err != nil {
		return nil, err
	}
	x[0].Entry.parts, y[0].Entry.parts = y[0].Entry.parts, x[0].Entry.parts
	out, _, err := Chain([]Entry{x[0].Entry}, []Entry{y[0].Entry})
	return out, err
}
