package jetstore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/textproto"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// truth is what the stream's leader holds of a subject: the sequence of the
// commit looked for (0: not there) and of the last one.
type truth struct{ found, last uint64 }

// lookBack is how many commits after the expected one are compared. More than
// that between reading and appending is a conflict anyway.
const lookBack = 64

// truth looks for a message id among the commits of a subject after expect and
// at its end. It asks the leader: a direct get may be answered by a replica that lags behind.
func (s *Store) truth(ctx context.Context, name, subj, id string, expect uint64) (truth, error) {
	last, lastID, err := s.leaderGet(ctx, name, map[string]any{"last_by_subj": subj})
	if err != nil || last == 0 {
		return truth{}, err
	}
	if lastID == id {
		return truth{found: last, last: last}, nil
	}
	from := expect + 1
	for range lookBack {
		if from >= last {
			break
		}
		seq, got, err := s.leaderGet(ctx, name, map[string]any{"seq": from, "next_by_subj": subj})
		if err != nil {
			return truth{}, err
		}
		if seq == 0 || seq >= last {
			break
		}
		if got == id {
			return truth{found: seq, last: last}, nil
		}
		from = seq + 1
	}
	return truth{last: last}, nil
}

// leaderGet gives sequence and message id of one message, 0 when there is none.
func (s *Store) leaderGet(ctx context.Context, name string, request map[string]any) (uint64, string, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return 0, "", fmt.Errorf("encode message request: %w", err)
	}
	reply, err := ask(ctx, func(ctx context.Context) (*nats.Msg, error) {
		return s.nc.RequestWithContext(ctx, s.direct.prefix+"STREAM.MSG.GET."+name, body)
	})
	if err != nil {
		return 0, "", fmt.Errorf("ask the leader of %s: %w", name, err)
	}
	var got struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Seq    uint64 `json:"seq"`
			Header []byte `json:"hdrs"`
		} `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &got); err != nil {
		return 0, "", fmt.Errorf("ask the leader of %s: %w", name, err)
	}
	if got.Error != nil {
		if got.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return 0, "", nil
		}
		return 0, "", fmt.Errorf("ask the leader of %s: %w", name, got.Error)
	}
	id, err := headerMessageID(got.Message.Header)
	if err != nil {
		return 0, "", fmt.Errorf("message %d of %s: %w", got.Message.Seq, name, err)
	}
	return got.Message.Seq, id, nil
}

func headerMessageID(header []byte) (string, error) {
	_, fields, ok := bytes.Cut(header, []byte("\r\n")) // after "NATS/1.0"
	if !ok {
		return "", errors.New("no header: not written by this store")
	}
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(fields))).ReadMIMEHeader()
	if err != nil {
		return "", fmt.Errorf("parse header: %w", err)
	}
	return h.Get(jetstream.MsgIDHeader), nil
}
