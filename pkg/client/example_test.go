package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/weftline/weftline/pkg/client"
	"github.com/weftline/weftline/pkg/cloudevent"
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

// standIn is what a hub would answer.
func standIn() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, event(1), event(2))
	})
	mux.Handle(inboxv1connect.NewInboxServiceHandler(conversations{}))
	return httptest.NewServer(mux)
}

type conversations struct {
	inboxv1connect.UnimplementedInboxServiceHandler
}

func (conversations) GetConversation(_ context.Context, req *inboxv1.GetConversationRequest) (*inboxv1.GetConversationResponse, error) {
	return &inboxv1.GetConversationResponse{Conversation: &inboxv1.Conversation{Id: req.GetConversationId(), Subject: "Where is my parcel?"}}, nil
}

// Read events, and keep the cursor with what they caused.
func ExampleSubscribe() {
	hub := standIn()
	defer hub.Close()

	errDone := errors.New("done")
	cursor := "" // as it was stored last
	cfg := client.Config{URL: hub.URL, Token: "wl_…", After: cursor, Types: []string{"CustomerCreated"}}
	err := client.Subscribe(context.Background(), cfg, func(_ context.Context, e cloudevent.Event, after string) error {
		m, err := e.Message()
		if errors.Is(err, cloudevent.ErrUnknownType) {
			return nil // of a later hub
		}
		if err != nil {
			return err
		}
		if m, ok := m.(*eventv1.CustomerCreated); ok {
			fmt.Println("customer", m.GetCustomerId())
		}
		cursor = after
		if cursor == "c2" {
			return errDone
		}
		return nil
	})
	fmt.Println(err, cursor)
	// Output:
	// customer 1
	// customer 2
	// done c2
}

// Ask the hub about a conversation that an event named.
func ExampleInbox() {
	hub := standIn()
	defer hub.Close()

	inbox, err := client.Inbox(client.Config{URL: hub.URL, Token: "wl_…"})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := inbox.GetConversation(context.Background(), &inboxv1.GetConversationRequest{ConversationId: "01J"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.GetConversation().GetSubject())
	// Output: Where is my parcel?
}
