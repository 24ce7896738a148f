package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// agent is whom Discord is told it talks to: Cloudflare turns others away ("Reference", User Agent).
const agent = "DiscordBot (https://github.com/weftline/weftline, 1)"

// refusal is what Discord does not do, with its code ("JSON Error Codes").
type refusal struct {
	status int
	code   int
	words  string
}

func (e *refusal) Error() string { return e.words }

// errNotDiscord: a page of somebody on the way, or of a server that is none of Discord's.
var errNotDiscord = errors.New("what answers is not Discord's API: is the API address right?")

func refusedAs(err error, codes ...int) bool {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if r.code == c {
			return true
		}
	}
	return len(codes) == 0
}

// attention makes a refusal of what every bot may do a person's matter.
func attention(err error) error {
	if refusedAs(err) {
		return fmt.Errorf("%w: %w", channel.ErrNeedsAttention, err)
	}
	return err
}

// get asks; result may be nil.
func (a *Adapter) get(ctx context.Context, id string, c config, path string, result any) error {
	return a.call(ctx, id, c, http.MethodGet, path, "", nil, result)
}

// post makes a call with a JSON body; result may be nil.
func (a *Adapter) post(ctx context.Context, id string, c config, path string, body, result any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return a.call(ctx, id, c, http.MethodPost, path, "application/json", b, result)
}

// call makes one call. Errors are those of hosted.Caller.Do, and *refusal. A
// limit that is used up is waited for, or an error where that would take long.
func (a *Adapter) call(ctx context.Context, id string, c config, method, path, kind string, body []byte, result any) error {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.api+path, reader)
	if err != nil {
		return hosted.Scrub(err)
	}
	r.Header.Set("Authorization", "Bot "+c.token)
	r.Header.Set("User-Agent", agent)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
		r.GetBody = nil // or net/http would send it again by itself: the hub decides that, and says so
	}
	if err := a.room(ctx, id, r); err != nil {
		return err
	}
	answer, err := a.caller.Do(id, r)
	a.used(ctx, id, r, answer)
	if err != nil {
		return err
	}
	if !answer.OK() {
		return refused(answer)
	}
	if result != nil && json.Unmarshal(answer.Body, result) != nil {
		if method == http.MethodGet {
			return errNotDiscord // and nothing has happened
		}
		return fmt.Errorf("%w: Discord's answer cannot be read", hosted.ErrUnknown)
	}
	return nil
}

// Codes of refusals ("Opcodes and Status Codes"; 50278 is in no list, and met by many).
const (
	codeNoAccess       = 50001
	codeNoPermission   = 50013
	codeUnknownChannel = 10003
	codeUnknownMessage = 10008
	codeUnknownUser    = 10013
	codeTooFast        = 40003
	codeTooLarge       = 40005
	codeCannotSend     = 50007
	codeNoServer       = 50278
)

// never are refusals that agents meet, in words.
var never = map[int]string{
	codeUnknownChannel: "Discord does not know the conversation any more",
	codeUnknownUser:    "Discord does not know this customer",
	codeTooLarge:       "Discord finds the files too large",
	40002:              "Discord wants the bot's account verified first",
	codeNoAccess:       "the bot may not write there",
	50006:              "Discord finds the message empty",
	codeCannotSend:     "Discord does not let the bot write to this customer: he has blocked it, takes no direct messages, or shares no server with it",
	codeNoServer:       "Discord does not let the bot write to this customer: he shares no server with it",
}

func refused(r hosted.Reply) error {
	var v struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	known := json.Unmarshal(r.Body, &v) == nil
	e := &refusal{status: r.Status, code: v.Code}
	text := hosted.Clip(strings.ToValidUTF8(v.Message, ""), 300)
	switch words := never[v.Code]; {
	case words != "":
		e.words = fmt.Sprintf("%s (%d)", words, v.Code)
	case r.Status == http.StatusRequestEntityTooLarge:
		e.words = never[codeTooLarge] + " (413)"
	case !known:
		e.words = fmt.Sprintf("%s (%d)", errNotDiscord, r.Status)
	case text == "":
		e.words = fmt.Sprintf("Discord refuses it (%d)", r.Status)
	default:
		e.words = fmt.Sprintf("Discord refuses it (%d: %s)", v.Code, text)
	}
	return e
}

// config is that of an inbox.
func (a *Adapter) config(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}

func (a *Adapter) note(id, state, detail string) {
	a.deps.Inboxes.SetHealth(id, inbox.Health{State: state, Detail: detail})
}
