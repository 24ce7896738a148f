package email_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/crypt"
)

var update = flag.Bool("update", false, "write the golden files anew")

const ownAddress = "support@shop.test"

func testParser() *email.Parser {
	return email.NewParser(crypt.NewDeterministic("email corpus"), func(string) []string { return []string{ownAddress} })
}

func testRaw(body []byte) channel.Raw {
	return channel.Raw{
		Tenant: "t1", Channel: email.ChannelName, Inbox: "support", ProviderID: "INBOX/1/1",
		ReceivedAt: time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC), ContentType: email.ContentType, Body: body,
	}
}

var tokenMark = regexp.MustCompile(`@@(TOKEN|UPPER|SHORT|SWAP) (\S+) (\S+?)@@`)

// readCase reads a mail and fills in reply tokens, which depend on the keys:
// TOKEN is a good one; UPPER, SHORT and SWAP are spoiled in their case, length and id.
func readCase(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fillTokens(b)
}

func fillTokens(b []byte) []byte {
	return tokenMark.ReplaceAllFunc(b, func(m []byte) []byte {
		f := tokenMark.FindSubmatch(m)
		id := email.ReplyToken(crypt.NewDeterministic("email corpus"), "t1", string(f[2]), channel.Address{Kind: "email", Address: string(f[3])}, "shop.test")
		switch string(f[1]) {
		case "UPPER":
			local, domain, _ := strings.Cut(id, "@")
			id = "wl.reply-1." + strings.ToUpper(strings.TrimPrefix(local, "wl.reply-1.")) + "@" + domain
		case "SHORT":
			id = strings.Replace(id, "@", "", 1)[:len(id)-20] + "@shop.test"
		case "SWAP":
			id = strings.Replace(id, "reply-1", "reply-2", 1)
		}
		return []byte(id)
	})
}

func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d mails, want at least 40 (%v)", len(files), err)
	}
	p := testParser()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			t.Parallel()
			items, err := p.Parse(testRaw(readCase(t, file)))
			if err != nil {
				t.Fatal(err)
			}
			got := pretty(t, items)
			golden := strings.TrimSuffix(file, ".eml") + ".golden.json"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("items differ (-want +got):\n%s", diff)
			}
		})
	}
}

var (
	emptyField    = regexp.MustCompile(`(?m)^\s*"\w+": (null|""|false|0|"0001-01-01T00:00:00Z"),?\n`)
	danglingComma = regexp.MustCompile(`,(\n\s*[}\]])`)
)

func pretty(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	// Empty fields say nothing; without them a golden file is read at a glance,
	// and a field added to the contract changes none.
	out := emptyField.ReplaceAll(b.Bytes(), nil)
	return danglingComma.ReplaceAll(out, []byte("$1"))
}
