package jetstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// CheckServer refuses a nats-server that is known to lose acknowledged
// messages, hand out a sequence twice or delete a damaged stream. The floor is
// 2.12.6, or 2.11.15 in the 2.11 line.
func CheckServer(version string) error {
	core, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	parts := strings.Split(core, ".")
	if len(parts) != 3 {
		return fmt.Errorf("nats-server version %q is not major.minor.patch", version)
	}
	var n [3]int
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 {
			return fmt.Errorf("nats-server version %q is not major.minor.patch", version)
		}
	}
	older := func(minor, patch int) bool { return n[1] == minor && n[2] < patch }
	if n[0] < 2 || n[0] == 2 && (n[1] < 11 || older(11, 15) || older(12, 6)) {
		return fmt.Errorf("nats-server %s can lose acknowledged messages after a crash or a damaged file "+
			"(jepsen.io/analyses/nats-2.12.1 and the fixes that followed): use 2.12.6 or later, or 2.11.15 or later in the 2.11 line", version)
	}
	return nil
}

// CheckVarz reads a server's /varz (of an embedded one: json.Marshal of
// Varz(nil)) and refuses it unless its version is safe, JetStream is on and
// sync_interval is always. By default JetStream acknowledges up to two minutes
// before it calls fsync; clients cannot see that, only monitoring can.
func CheckVarz(varz []byte) error {
	var v struct {
		Version   string `json:"version"`
		JetStream struct {
			Config *struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	}
	if err := json.Unmarshal(varz, &v); err != nil {
		return fmt.Errorf("read varz: %w", err)
	}
	if err := CheckServer(v.Version); err != nil {
		return err
	}
	if v.JetStream.Config == nil {
		return errors.New("nats-server has no JetStream: set jetstream { store_dir: … }")
	}
	if !v.JetStream.Config.SyncAlways {
		return errors.New("nats-server acknowledges before fsync: set jetstream { sync_interval: always }")
	}
	return nil
}
