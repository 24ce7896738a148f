package natsbus

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// API subjects of one consumer on PUB.
const (
	apiStreamInfo   = "$JS.API.STREAM.INFO." + subject.StreamPub
	apiConsumerInfo = "$JS.API.CONSUMER.INFO." + subject.StreamPub + "."
	apiConsumerNext = "$JS.API.CONSUMER.MSG.NEXT." + subject.StreamPub + "."
	ackPrefix       = "$JS.ACK." + subject.StreamPub + "."
)

// open exports from the hub's account what clients' accounts may import.
func (g *gate) open(s *server.Server) error {
	hub := s.GlobalAccount()
	if err := hub.AddStreamExport("weftline.v1.>", nil); err != nil {
		return fmt.Errorf("export public events: %w", err)
	}
	for subj, kind := range map[string]server.ServiceRespType{
		apiStreamInfo: server.Singleton, apiConsumerInfo + "*": server.Singleton,
		apiConsumerNext + "*": server.Streamed, ackPrefix + ">": server.Singleton,
	} {
		if err := hub.AddServiceExportWithResponse(subj, kind, nil); err != nil {
			return fmt.Errorf("export %s: %w", subj, err)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.server = s
	return nil
}

// admit makes the client's account and its consumer, once.
func (g *gate) admit(ctx context.Context, s *server.Server, js jetstream.JetStream, c Client) (*server.Account, error) {
	if !subject.ValidToken(c.Name) || c.Name == internalUser {
		return nil, fmt.Errorf("name %q: want 1 to 64 letters, digits, - or _, and not %q", c.Name, internalUser)
	}
	if !strings.HasPrefix(c.Subject, "weftline.v1.") {
		return nil, fmt.Errorf("subject %q is not public", c.Subject)
	}
	if err := consumer(ctx, js, c); err != nil {
		return nil, fmt.Errorf("make consumer: %w", err)
	}
	g.making.Lock() // nobody gets an account that is half made
	defer g.making.Unlock()
	name := "client-" + c.Name
	if a, err := s.LookupAccount(name); err == nil {
		return a, nil
	}
	a, err := s.RegisterAccount(name)
	if err != nil {
		return nil, fmt.Errorf("make account: %w", err)
	}
	hub := s.GlobalAccount()
	if err := a.AddStreamImport(hub, c.Subject, ""); err != nil {
		return nil, fmt.Errorf("import public events: %w", err)
	}
	for _, subj := range []string{apiStreamInfo, apiConsumerInfo + c.Name, apiConsumerNext + c.Name, ackPrefix + c.Name + ".>"} {
		if err := a.AddServiceImport(hub, subj, subj); err != nil {
			return nil, fmt.Errorf("import %s: %w", subj, err)
		}
	}
	return a, nil
}

// permissions are the same once more, so that a refusal is told to the client
// instead of being a subject nobody listens to.
func permissions(c Client) *server.Permissions {
	return &server.Permissions{
		Subscribe: &server.SubjectPermission{Allow: []string{c.Subject, "_INBOX_" + c.Name + ".>"}},
		Publish: &server.SubjectPermission{Allow: []string{
			apiStreamInfo, apiConsumerInfo + c.Name, apiConsumerNext + c.Name, ackPrefix + c.Name + ".>",
		}},
	}
}
