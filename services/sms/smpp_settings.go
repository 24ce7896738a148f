package sms

import (
	"fmt"
	"net"
	"strconv"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/sms/smpp"
)

// Setting keys of SMPP.
const (
	keyAddress    = "smpp_address"
	keyTLS        = "smpp_tls"
	keyBind       = "smpp_bind"
	keySystemID   = "smpp_system_id"
	keyPassword   = "smpp_password"
	keySystemType = "smpp_system_type"
	keyWindow     = "smpp_window"
	keyIDs        = "smpp_ids"
)

// Values of smpp_bind and smpp_ids.
const (
	bindOne = "transceiver"
	bindTwo = "transmitter+receiver"

	idsAuto      = "auto"
	idsSame      = "same"
	idsSubmitHex = "submit_hex"
	idsSubmitDec = "submit_decimal"
)

var smppSettings = []inbox.Setting{
	{Key: keyAddress, Label: "SMSC", Help: "host and port of the SMSC or gateway, such as smpp.example.net:2775."},
	{Key: keyTLS, Label: "TLS", Default: "on", Values: []string{"on", "off"}, Help: "on, unless the way to the SMSC is private: SMPP sends the password in clear."},
	{Key: keySystemID, Label: "System id", Help: "the account's name at the SMSC."},
	{Key: keyPassword, Label: "Password", Secret: true, Help: "the account's password, usually at most 8 characters."},
	{Key: keySystemType, Advanced: true, Label: "System type", Help: "only where the operator asks for one."},
	{Key: keyBind, Advanced: true, Label: "Bind", Default: bindOne, Values: []string{bindOne, bindTwo}, Help: "one connection for both directions, or two for SMSCs that know no transceiver."},
	{Key: keyWindow, Advanced: true, Label: "Window", Default: "10", Help: "how many messages may wait for the SMSC's answer at the same time: 1 to 100."},
	{
		Key: keyIDs, Advanced: true, Label: "Message ids", Default: idsAuto, Values: []string{idsAuto, idsSame, idsSubmitHex, idsSubmitDec},
		Help: "some SMSCs name a message in hexadecimal when they take it and in decimal when they report on it (submit_hex), or the other way round (submit_decimal). auto tries them all and compares the receiver's number.",
	},
}

type smppConfig struct {
	address, host string
	tls           bool
	two           bool
	login         smpp.Login
	window        int
	ids           string
}

func readSMPP(s *hosted.Settings) (c smppConfig) {
	c = smppConfig{
		address: s.Text(keyAddress), tls: s.On(keyTLS), two: s.Text(keyBind) == bindTwo, ids: s.Text(keyIDs),
		login: smpp.Login{SystemID: s.Text(keySystemID), Password: s.Text(keyPassword), SystemType: s.Text(keySystemType)},
	}
	host, port, err := net.SplitHostPort(c.address)
	if n, bad := strconv.Atoi(port); err != nil || host == "" || bad != nil || n < 1 || n > 65535 {
		s.Wrong(keyAddress, fmt.Sprintf("%q is not host and port such as smpp.example.net:2775", c.address))
	}
	c.host = host
	for key, limit := range map[string]int{keySystemID: 15, keyPassword: 64, keySystemType: 12} {
		if v := s.Text(key); len(v) > limit {
			s.Wrong(key, fmt.Sprintf("has %d characters, at most %d are allowed", len(v), limit))
		}
	}
	if c.login.SystemID == "" {
		s.Wrong(keySystemID, "is missing: smpp needs it")
	}
	n, err := strconv.Atoi(s.Text(keyWindow))
	if err != nil || n < 1 || n > 100 {
		s.Wrong(keyWindow, fmt.Sprintf("%q is not 1 to 100", s.Text(keyWindow)))
	}
	c.window = n
	return c
}
