package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/weftline/weftline/pkg/channel"
)

// Intents: what a bot is told of ("Gateway Intents"). None of them is
// privileged: what is said to a bot in direct messages it reads without MESSAGE_CONTENT.
const intents = 1<<12 | 1<<13 | 1<<14 // DIRECT_MESSAGES, DIRECT_MESSAGE_REACTIONS, DIRECT_MESSAGE_TYPING

// Opcodes ("Gateway Opcodes").
const (
	opDispatch  = 0
	opHeartbeat = 1
	opIdentify  = 2
	opResume    = 6
	opReconnect = 7
	opInvalid   = 9
	opHello     = 10
	opAck       = 11
)

// frame is one payload of the gateway ("Payload Structure").
type frame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
	Seq  int64           `json:"s,omitempty"`
	Name string          `json:"t,omitempty"`
}

// gateway is where to connect, and how often still ("Get Gateway Bot").
type gateway struct {
	URL   string `json:"url"`
	Limit struct {
		Remaining  int   `json:"remaining"`
		ResetAfter int64 `json:"reset_after"` // milliseconds
	} `json:"session_start_limit"`
}

// full is how long no session may begin any more; 0: one may.
func (g gateway) full() time.Duration {
	if g.Limit.Remaining > 0 || g.Limit.ResetAfter <= 0 {
		return 0
	}
	return time.Duration(min(g.Limit.ResetAfter, 86_400_000)) * time.Millisecond
}

func (a *Adapter) gateway(ctx context.Context, id string, c config) (gateway, error) {
	var g gateway
	if err := a.get(ctx, id, c, "/gateway/bot", &g); err != nil {
		return g, fmt.Errorf("ask where to connect: %w", err)
	}
	return g, nil
}

// socket is where a connection goes. The token goes along, so it is Discord's own
// host, or with a gateway of the settings one that is reached as safely as that.
func (c config) socket(said string) (string, error) {
	u, err := url.Parse(said)
	if err != nil || u.Host == "" || u.User != nil {
		return "", errors.New("connect: Discord names no address")
	}
	host := u.Hostname()
	switch own := host == "discord.gg" || strings.HasSuffix(host, ".discord.gg"); {
	case u.Scheme == "wss" && (own || c.api != usualAPI):
	case u.Scheme == "ws" && strings.HasPrefix(c.api, "http://"):
	default:
		return "", errors.New("connect: the address is none of Discord's")
	}
	u.RawQuery = "v=10&encoding=json"
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// maxFrame bounds one payload, in bytes.
const maxFrame = 8 << 20

// connect opens a websocket.
func (a *Adapter) connect(ctx context.Context, address string) (*websocket.Conn, error) {
	d := websocket.Dialer{NetDialContext: a.dial, HandshakeTimeout: 30 * time.Second}
	ws, res, err := d.DialContext(ctx, address, http.Header{"User-Agent": {agent}})
	if res != nil && res.Body != nil {
		res.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the gateway: %w", err)
	}
	ws.SetReadLimit(maxFrame)
	return ws, nil
}

// Reasons why a connection ends that are not the network's.
var (
	errReconnect  = errors.New("asked by Discord to connect anew")
	errZombie     = errors.New("the gateway does not answer any more")
	errStarted    = errors.New("the session is over")                   // a new one begins
	errUnreadable = errors.New("the gateway tells what cannot be read") // and would again, if the session went on
	errResumable  = errors.New("the session is not ready yet")          // it can be tried again
)

// lost is an ended connection, with Discord's code where it gave one.
func lost(err error) error {
	if errors.Is(err, websocket.ErrReadLimit) {
		return fmt.Errorf("%w: more than %d bytes at once", errUnreadable, maxFrame)
	}
	closed, ok := errors.AsType[*websocket.CloseError](err)
	if !ok {
		return fmt.Errorf("the gateway is gone: %w", err)
	}
	if forbidding[closed.Code] != "" {
		return &hangUp{closed.Code}
	}
	switch closed.Code {
	case 4003, 4007, 4009: // not authenticated, the sequence is wrong, timed out
		return fmt.Errorf("%w (%d)", errStarted, closed.Code)
	}
	return fmt.Errorf("the gateway hangs up (%d)", closed.Code)
}

// hangUp is a connection that Discord ended for a reason that a person must mend.
type hangUp struct{ code int }

func (e *hangUp) Error() string { return fmt.Sprintf("%s (%d)", forbidding[e.code], e.code) }
func (e *hangUp) Unwrap() error { return channel.ErrNeedsAttention }

const badToken = 4004

// forbidding are the codes after which nobody may connect again by himself ("Gateway Close Event Codes").
var forbidding = map[int]string{
	badToken: "Discord refuses the bot token",
	4010:     "Discord wants another shard",
	4011:     "the bot is on so many servers that Discord wants it sharded, which is not done here",
	4012:     "Discord does not know this version of its API any more",
	4013:     "Discord does not know what the bot asks to be told of",
	4014:     "the bot may not be told of what it asks for",
}
