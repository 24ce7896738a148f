package hosted_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/weftline/weftline/services/internal/hosted"
)

func TestWhoDoesNotAnswerIsNamedWithoutItsToken(t *testing.T) {
	t.Parallel()
	refuses := &http.Client{Transport: &http.Transport{DialContext: func(_ context.Context, network, _ string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}}}
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(hangsUp.Close)
	for _, c := range []struct {
		client  *http.Client
		at      string
		want    string
		unknown bool
	}{
		{refuses, "http://api.telegram.test", "api.telegram.test does not answer: dial: connect: connection refused", false},
		{hangsUp.Client(), hangsUp.URL, hangsUp.Listener.Addr().String(), true}, // has had the request
	} {
		r, err := hosted.JSON(t.Context(), c.at+"/bot123:secret/send", map[string]string{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = hosted.NewCaller(hosted.Deps{Client: c.client}).Do("inbox", r)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || errors.Is(err, hosted.ErrUnknown) != c.unknown {
			t.Errorf("%v, wanted %q and no token", err, c.want)
		}
	}
}
