package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// gate lets few passwords be checked at once. One costs 64 MiB and a tenth of
// a second on purpose, and strangers may ask for it: without a gate some
// hundred logins at once take all memory there is.
type gate struct {
	working, waiting chan struct{}
}

func newGate() *gate { return &gate{working: make(chan struct{}, 2), waiting: make(chan struct{}, 32)} }

// gateWait is how long one waits at the gate.
const gateWait = 5 * time.Second

var errBusy = errors.New("too many passwords are being checked")

// cost of a password: RFC 9106 §4, second choice, on two threads. A variable for tests alone.
var cost = struct {
	passes, kib uint32
	threads     uint8
}{3, 64 << 10, 2}

// hashPassword: argon2id.
func hashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	return "argon2id$" + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(derive(password, salt))
}

func derive(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, cost.passes, cost.kib, cost.threads, 32)
}

// nobody is compared with when the address is unknown, so both take the same time.
var nobody = sync.OnceValue(func() string { return hashPassword("nobody has this password") })

// verify fails with errBusy when too many others are checked first.
func (g *gate) verify(ctx context.Context, stored, password string) (bool, error) {
	f := strings.Split(stored, "$")
	if len(f) != 3 || f[0] != "argon2id" || password == "" {
		return false, nil
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(f[1])
	want, err2 := base64.RawStdEncoding.DecodeString(f[2])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false, nil
	}
	select {
	case g.waiting <- struct{}{}:
	default:
		return false, errBusy
	}
	defer func() { <-g.waiting }()
	patience := time.NewTimer(gateWait)
	defer patience.Stop()
	select {
	case g.working <- struct{}{}:
	case <-patience.C:
		return false, errBusy
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-g.working }()
	return subtle.ConstantTimeCompare(derive(password, salt), want) == 1, nil
}
