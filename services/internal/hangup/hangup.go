// Package hangup ends connections so that the other side learns why.
package hangup

import (
	"io"
	"net"
	"time"
)

// most bounds what is thrown away.
const most = 1 << 20

// Drain throws away what the peer goes on sending, until it hangs up: for so long
// at most, and at most 1 MiB. A connection that is closed with unread input is
// reset by the kernel, and the peer never sees what was written last, as why it
// is closed. Nobody else may read from conn meanwhile or after.
func Drain(conn net.Conn, within time.Duration) {
	if conn.SetReadDeadline(time.Now().Add(within)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, most))
	}
}
