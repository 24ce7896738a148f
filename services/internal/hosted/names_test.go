package hosted_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

func from(id string) []channel.Item {
	return []channel.Item{{Message: &channel.Message{ID: "m", From: channel.Address{Kind: "line", Scope: "shop", Address: id}}}}
}

func TestNamesAreAskedForNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := hosted.NewNames(hosted.Deps{})
		asked, answer, fails := 0, "Ada\nLovelace ", error(nil)
		ask := func(context.Context, channel.Address) (string, error) { asked++; return answer, fails }
		get := func(inbox string) string {
			given := from("U1")
			got := n.Fill(t.Context(), inbox, given, ask)
			if given[0].Message.From.Name != "" {
				t.Error("the items given are changed")
			}
			return got[0].Message.From.Name
		}
		if a, b := get("shop"), get("shop"); a != "Ada Lovelace" || b != a || asked != 1 {
			t.Errorf("%q, %q, asked %d times", a, b, asked)
		}
		if get("other"); asked != 2 {
			t.Error("another inbox is not asked")
		}
		time.Sleep(13 * time.Hour)
		fails = errors.New("trouble")
		if got := get("shop"); got != "Ada Lovelace" || asked != 3 {
			t.Errorf("in trouble it is %q, asked %d times", got, asked)
		}
		if get("shop"); asked != 3 {
			t.Error("asked again at once")
		}
		answer, fails = "Ada King", nil
		time.Sleep(11 * time.Minute)
		if got := get("shop"); got != "Ada King" {
			t.Errorf("later it is %q", got)
		}
	})
}

func TestNamesAreNotWaitedForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := hosted.NewNames(hosted.Deps{})
		began := time.Now()
		got := n.Fill(t.Context(), "shop", from("U1"), func(ctx context.Context, _ channel.Address) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		if got[0].Message.From.Name != "" || time.Since(began) > 5*time.Second {
			t.Errorf("%+v after %s", got[0].Message.From, time.Since(began))
		}
	})
}
