package eventstore

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/subject"
)

// MaxCommitBytes limits one encoded commit. A NATS message is limited to 1 MiB
// with its headers by default; 24 KiB are kept for them.
const MaxCommitBytes = 1000 << 10

// TooLargeError: the commit exceeds MaxCommitBytes. Put large values in the blob
// store and refer to them.
type TooLargeError struct {
	Stream string
	Bytes  int
	Limit  int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("append to %s: commit is %d bytes, limit is %d", e.Stream, e.Bytes, e.Limit)
}

// Validate says what is wrong with an append, before any store is asked.
func (a Append) Validate() error {
	if !subject.ValidToken(a.Tenant) {
		return fmt.Errorf("append: tenant %q is not a token (1 to 64 of a-z A-Z 0-9 _ -)", a.Tenant)
	}
	for part := range strings.SplitSeq(a.Stream, ".") {
		if !subject.ValidToken(part) {
			return fmt.Errorf("append: stream %q: part %q is not a token (1 to 64 of a-z A-Z 0-9 _ -)", a.Stream, part)
		}
	}
	if a.Commit.ID == "" || len(a.Commit.ID) > 512 {
		return fmt.Errorf("append to %s: commit id must have 1 to 512 bytes, has %d", a.Stream, len(a.Commit.ID))
	}
	for i := range len(a.Commit.ID) {
		if c := a.Commit.ID[i]; c <= ' ' || c > '~' {
			return fmt.Errorf("append to %s: commit id %q: only visible ASCII without spaces", a.Stream, a.Commit.ID)
		}
	}
	if len(a.Commit.Records) == 0 {
		return fmt.Errorf("append to %s: commit %s has no records", a.Stream, a.Commit.ID)
	}
	for i, r := range a.Commit.Records {
		if r.Type == "" || r.V < 1 {
			return fmt.Errorf("append to %s: commit %s: record %d needs a type and a version from 1", a.Stream, a.Commit.ID, i)
		}
	}
	return nil
}

// Encode validates an append and gives the stored form of its commit. Every
// store keeps exactly these bytes.
func Encode(a Append) ([]byte, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	c := a.Commit
	c.RecordedAt = c.RecordedAt.UTC().Truncate(time.Microsecond)
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("append to %s: encode commit %s: %w", a.Stream, c.ID, err)
	}
	if len(body) > MaxCommitBytes {
		return nil, &TooLargeError{Stream: a.Stream, Bytes: len(body), Limit: MaxCommitBytes}
	}
	return body, nil
}

// Decode reads the stored form. Tenant, Stream, Partition, Seq and Prev are not
// in it: the store knows them from where it found the bytes.
func Decode(body []byte) (Commit, error) {
	if c, ok := split(body); ok {
		return c, nil
	}
	var c Commit
	if err := json.Unmarshal(body, &c); err != nil {
		return Commit{}, fmt.Errorf("decode commit: %w", err)
	}
	return c, nil
}

// PartitionOf places a stream in one of n partitions. All stores use it.
func PartitionOf(tenant, stream string, n int) int {
	return subject.Partition(tenant+"."+stream, n)
}
