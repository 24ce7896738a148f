package main

import (
	"io"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/conversation"
)

func TestOneRebuildAtATime(t *testing.T) {
	t.Parallel()
	h := &hub{conversation: &conversation.Service{}}
	h.rebuilding.Lock()
	if err := taskRebuild(t.Context(), h, nil, io.Discard); err == nil || !strings.Contains(err.Error(), "already") {
		t.Fatal(err)
	}
}
