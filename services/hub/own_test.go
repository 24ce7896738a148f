package main

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/inbox"
)

// TestOwnAddresses: an inbox's own addresses and numbers, in whatever form they are written.
func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	book, err := inbox.NewBook(t.Context(), db, crypt.NewMemory(), channels(nil, nil, email.ChannelDeps{}), []inbox.Inbox{
		{ID: "mail", Channel: "email", Settings: map[string]string{"address": "Support@Shop.test", "aliases": "orders@shop.test"}},
		{ID: "berlin", Channel: "sms", Settings: map[string]string{"number": "030 12345678", "region": "DE"}},
		{ID: "sender", Channel: "sms", Settings: map[string]string{"number": "SHOP"}},
		{ID: "wa", Channel: "whatsapp", Settings: map[string]string{"number": "+55 11 98765-4321"}},
		{ID: "wa without", Channel: "whatsapp"},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{book: book}
	for a, want := range map[channel.Address]bool{
		{Kind: "email", Address: "support@shop.test"}:    true,
		{Kind: "email", Address: "orders@SHOP.test"}:     true,
		{Kind: "email", Address: "ada@shop.test"}:        false,
		{Kind: "phone", Address: "+49 30 12345678"}:      true,
		{Kind: "phone", Address: "+493012345678"}:        true,
		{Kind: "phone", Address: "+49 30 12345679"}:      false,
		{Kind: "phone", Address: "+55 11 8765-4321"}:     true, // the form of before the ninth digit
		{Kind: "phone", Address: ""}:                     false,
		{Kind: "whatsapp", Address: "+55 11 98765-4321"}: false, // not a number's kind
	} {
		if got := h.ownAddress(a); got != want {
			t.Errorf("%+v: %v", a, got)
		}
	}
}
