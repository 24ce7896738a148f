package ingest

import (
	"slices"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// limitBody is what a body may take in an event. Sealed and in base64 it stays
// well below eventstore.MaxCommitBytes.
const limitBody = 560 << 10

// FlagTruncated: the body shown is not all of it; the original is.
const FlagTruncated = "truncated"

// shrink cuts what is too large for an event, the least missed first. Nothing
// is lost: the original can be downloaded.
func shrink(m channel.Message) channel.Message {
	cuts := []func(){
		func() { m.Content.HTML = "" },
		func() { m.Content.Quoted = "" },
		func() { m.To, m.CC = m.To[:min(len(m.To), 50)], m.CC[:min(len(m.CC), 50)] },
		func() { m.Content.Text = limit(m.Content.Text, 50_000) },
		func() { m.Content.Attachments = m.Content.Attachments[:min(len(m.Content.Attachments), 100)] },
		func() {
			m.Content = channel.Content{Subject: limit(m.Content.Subject, 200), Text: limit(m.Content.Text, 10_000)}
			m.To, m.CC, m.References, m.Refs = nil, nil, nil, nil
		},
	}
	shrunk := false
	for _, cut := range cuts {
		if size(m) <= limitBody {
			break
		}
		cut()
		shrunk = true
	}
	if shrunk {
		m.Flags = append(slices.Clone(m.Flags), FlagTruncated)
	}
	return m
}

// size of what will be sealed, near enough.
func size(m channel.Message) int {
	rough := len(m.Content.Text) + len(m.Content.HTML) + len(m.Content.Quoted)
	if rough < limitBody/8 && len(m.Content.Attachments)+len(m.To)+len(m.CC) < 50 {
		return rough // small beyond doubt, even if every byte were escaped
	}
	data, err := seal.Marshal(struct {
		C      channel.Content
		To, CC []channel.Address
		Refs   []string
	}{m.Content, m.To, m.CC, m.References})
	if err != nil {
		return limitBody + 1
	}
	return len(data)
}
