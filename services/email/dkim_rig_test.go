//go:build rig

package email_test

import (
	"bytes"
	"crypto"
	"os/exec"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
)

// TestRigDKIMIsVerifiedByDkimpy has another implementation than ours look at our signatures: Debian's python3-dkim.
func TestRigDKIMIsVerifiedByDkimpy(t *testing.T) {
	const program = "import sys, dkim; r = sys.argv[1].encode(); print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: r))"
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ed25519": edKey()} {
		s := newSink(t, "none", nil)
		w := newWorld(t, outbox(port(t, s.l), signingInbox(t, key)))
		out := outbound()
		out.Content.HTML = "<p>Grüße</p>"
		if r, err := w.sender(t).Send(t.Context(), out); err != nil || r.State != channel.StateSent {
			t.Fatalf("%+v (%v)", r, err)
		}
		mail := s.all()[0].data
		for what, want := range map[string]string{mail: "True", strings.Replace(mail, "Subject: ", "Subject: No: ", 1): "False", "From: eve@evil.test\r\n" + mail: "False"} {
			cmd := exec.Command("/usr/bin/python3", "-c", program, keyRecord(key))
			cmd.Stdin = bytes.NewReader([]byte(what))
			said, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(string(said)); err != nil || got != want {
				t.Errorf("%s: dkimpy says %s, want %s (%v) of\n%.600s", name, got, want, err, what)
			}
		}
	}
}
