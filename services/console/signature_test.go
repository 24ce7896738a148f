package console_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAgentSetsHisOwnSignature(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	for body, want := range map[string]string{
		`{"signature":"` + strings.Repeat("x", 1001) + `"}`:  "allowed are 1000",
		`{"signature":"` + strings.Repeat(`x\n`, 21) + `x"}`: "allowed are 20",
		`{"signature":"a\u202eb"}`:                           "direction of text",
		`{"signature":"a\u0007b"}`:                           "control characters",
	} {
		if code, m := b.call(t, b.http, "", rpcPath+"SaveSignature", body); code != 400 || !strings.Contains(fmt.Sprint(m), want) {
			t.Errorf("%.40s: %d %v, want %q", body, code, m, want)
		}
	}
	if code, m := b.call(t, b.http, "", rpcPath+"SaveSignature", `{"signature":" Olga\r\nShop "}`); code != 200 || m["signature"] != "Olga\nShop" {
		t.Fatalf("save: %d %v", code, m)
	}
	// It stays when something else of the agent changes.
	_, m := b.call(t, b.http, "", rpcPath+"GetSession", `{}`)
	id := m["agent"].(map[string]any)["id"]
	if code, m := b.call(t, b.http, "", rpcPath+"SaveAgent", fmt.Sprintf(`{"agent":{"id":%q,"name":"Olga O.","email":"olga@example.org","role":"ROLE_OWNER"}}`, id)); code != 200 {
		t.Fatalf("change the agent: %d %v", code, m)
	}
	if code, m := b.call(t, b.http, "", rpcPath+"GetSignature", `{}`); code != 200 || m["signature"] != "Olga\nShop" {
		t.Errorf("afterwards: %d %v", code, m)
	}
	if code, m := b.call(t, b.http, "", rpcPath+"SaveSignature", `{}`); code != 200 || m["signature"] != nil {
		t.Errorf("removed: %d %v", code, m)
	}
}
