package chat

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// Purposes separate what one key authenticates.
const (
	purposeVisitor = "chat/visitor"
	purposeTicket  = "chat/ticket"
	purposeFile    = "chat/file"
	purposeWho     = "chat/who"
)

var b64 = base64.RawURLEncoding.Strict()

// newVisitor is 128 random bits, in hex.
func newVisitor() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// visitorToken proves a visitor id of an inbox. It does not expire: it is the
// browser's only key to what was said in it.
func (a *Adapter) visitorToken(inbox, visitor string) string {
	id, _ := hex.DecodeString(visitor)
	return b64.EncodeToString(append(id, a.d.Keys.MAC(purposeVisitor, []byte(inbox+"\x00"+visitor))...))
}

// openVisitor gives the visitor id of a token made for this inbox.
func (a *Adapter) openVisitor(inbox, token string) (string, bool) {
	b, err := b64.DecodeString(token)
	if err != nil || len(b) != 32 {
		return "", false
	}
	visitor := hex.EncodeToString(b[:16])
	return visitor, a.d.Keys.VerifyMAC(purposeVisitor, []byte(inbox+"\x00"+visitor), b[16:])
}

// ticket lets the frame upload and fetch files beside its socket. It goes into
// the Authorization header, never into a URL.
type ticket struct {
	Inbox   string `json:"i"`
	Address string `json:"a"`
	Visitor string `json:"v"`
	Expires int64  `json:"e"` // Unix seconds
}

func (a *Adapter) sealTicket(t ticket) string { return a.seal(purposeTicket, t) }

func (a *Adapter) openTicket(inbox, s string) (ticket, bool) {
	var t ticket
	if !a.open(purposeTicket, s, &t) || t.Inbox != inbox || a.d.Now().Unix() >= t.Expires {
		return ticket{}, false
	}
	return t, true
}

// fileRef is a file that was shown in one handle's transcript: only what was
// serialised for a visitor can be named by him.
type fileRef struct {
	Handle string `json:"h"`           // handle id
	Blob   string `json:"b,omitempty"` // key of the blob store
	ID     string `json:"f,omitempty"` // id the transcript gave
	Name   string `json:"n,omitempty"`
	Type   string `json:"t,omitempty"`
}

func (a *Adapter) sealFile(f fileRef) string { return a.seal(purposeFile, f) }

func (a *Adapter) openFileRef(s string) (fileRef, bool) {
	var f fileRef
	return f, a.open(purposeFile, s, &f)
}

func (a *Adapter) seal(purpose string, v any) string {
	b, _ := json.Marshal(v)
	return b64.EncodeToString(b) + "." + b64.EncodeToString(a.d.Keys.MAC(purpose, b))
}

func (a *Adapter) open(purpose, s string, v any) bool {
	body, sum, ok := strings.Cut(s, ".")
	if !ok || len(s) > 4096 {
		return false
	}
	b, err := b64.DecodeString(body)
	if err != nil {
		return false
	}
	m, err := b64.DecodeString(sum)
	if err != nil || !a.d.Keys.VerifyMAC(purpose, b, m) {
		return false
	}
	return json.Unmarshal(b, v) == nil
}

const ticketLife = 12 * time.Hour
