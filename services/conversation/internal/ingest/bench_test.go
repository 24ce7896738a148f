package ingest_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// BenchmarkHandle is one chat message taken in, without the store's disk:
// parse, decide, seal, append, evolve. Customers are many, and have many messages.
func BenchmarkHandle(b *testing.B) {
	for _, customers := range []int{1, 1000} {
		b.Run(fmt.Sprintf("customers=%d", customers), func(b *testing.B) {
			d := domaintest.New(b)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				m := chat(fmt.Sprint(n), fmt.Sprint(n%customers))
				body, err := json.Marshal([]channel.Item{{Message: &m}})
				if err != nil {
					b.Fatal(err)
				}
				raw := channel.Raw{Channel: "chat", Inbox: "widget", ProviderID: m.ID, Body: body}
				if err := d.Ingest.Handle(b.Context(), ingest.Input{Raw: &raw, Ref: "in/0/1"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
