package feed_test

import (
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
)

func address(h *historytest.History) channel.Address {
	return channel.Address{Kind: "email", Address: h.ID("p") + "@example.org", Name: "Ada"}
}
