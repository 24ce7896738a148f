package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Standing is what a merge rests on: all that, when it changes, should be
// looked at again. Messages, notes, statuses and attributes are not in it: they
// come and go while an agent reads a preview, and a merge changes none of them.
type Standing struct {
	// Members of both persons, and the links that hold each together.
	Members []string `json:"members"`
	Links   []string `json:"links"`
	// Handles are "customer/handle/tenure/level/qualifier".
	Handles []string `json:"handles"`
	Erased  []string `json:"erased,omitempty"`
	Holds   []string `json:"holds,omitempty"`
	// Refused is why the merge would be refused now, "" when it would not.
	Refused string `json:"-"`
}

// parts are what a token remembers: enough to say what changed, and no more.
func (s Standing) parts() map[string]string {
	out := map[string]string{}
	for name, values := range map[string][]string{
		"members": s.Members, "links": s.Links, "handles": s.Handles, "erased": s.Erased, "holds": s.Holds,
	} {
		sum := sha256.Sum256([]byte(strings.Join(values, "\x00")))
		out[name] = hex.EncodeToString(sum[:8])
	}
	return out
}

// changes in the order they are told.
var changes = []struct{ part, words string }{
	{"erased", "a customer was erased"},
	{"holds", "a legal hold was placed or lifted"},
	{"members", "other customers belong to one of the persons now"},
	{"links", "a link was made or taken back"},
	{"handles", "an address, its owner or its assurance changed"},
}

// StaleError: the sides are not as they were previewed.
type StaleError struct{ Changes []string }

func (e *StaleError) Error() string {
	return "changed since the preview: " + strings.Join(e.Changes, "; ")
}

const purposeToken = "preview/merge"

type token struct {
	A     string            `json:"a"`
	B     string            `json:"b"`
	Parts map[string]string `json:"p"`
}

// Token vouches for a preview of two customers.
func Token(k Keys, a, b string, s Standing) string {
	body, _ := json.Marshal(token{A: min(a, b), B: max(a, b), Parts: s.parts()})
	return encode(body) + "." + encode(k.MAC(purposeToken, body))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// check says whether a token is of these two as they are now.
func check(k Keys, given, a, b string, now Standing) error {
	first, second, _ := strings.Cut(given, ".")
	body, err := base64.RawURLEncoding.DecodeString(first)
	mac, err2 := base64.RawURLEncoding.DecodeString(second)
	if err != nil || err2 != nil || !k.VerifyMAC(purposeToken, body, mac) {
		return &StaleError{Changes: []string{"the token is not one of this hub; look at the preview again"}}
	}
	var t token
	if err := json.Unmarshal(body, &t); err != nil || t.A != min(a, b) || t.B != max(a, b) {
		return &StaleError{Changes: []string{"the token is of a preview of others"}}
	}
	stale := &StaleError{}
	parts := now.parts()
	for _, c := range changes {
		if t.Parts[c.part] != parts[c.part] {
			stale.Changes = append(stale.Changes, c.words)
		}
	}
	if len(stale.Changes) > 0 {
		return stale
	}
	return nil
}
