package email

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// errAddress: no mail server is there.
var errAddress = errors.New("link-local, multicast and unspecified addresses are not connected to")

// dialer connects to mail servers. These stand in private networks as often as
// not, so such are allowed; where a cloud keeps the machine's own credentials
// (169.254.169.254), and what is no single machine, is not. It is checked on the
// address itself, after every name was resolved.
func dialer() *net.Dialer {
	return &net.Dialer{KeepAlive: 30 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress
		}
		if a := ap.Addr().Unmap(); a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			return errAddress
		}
		return nil
	}}
}
