package discord

import (
	"encoding/json"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

// Escaped is a text as it is sent.
func Escaped(text string) string { return escaped(text) }

// Pieces are the messages of a text, before they are escaped.
func Pieces(text string) []string { return pieces(text) }

// Delay is how long a 429 asks to wait.
func Delay(r hosted.Reply) time.Duration { return delay(r) }

// FullFor is how long an answer to "Get Gateway Bot" forbids another session.
func FullFor(answer string) (time.Duration, error) {
	var g gateway
	err := json.Unmarshal([]byte(answer), &g)
	return g.full(), err
}
