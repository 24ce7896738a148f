package handleid_test

import (
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// The ids of handles are in subjects and events: for ever.
func TestIDsNeverChange(t *testing.T) {
	t.Parallel()
	keys := crypt.NewDeterministic("golden")
	for _, c := range []struct {
		a    channel.Address
		want string
	}{
		{channel.Address{Kind: "email", Address: " Ada.Lovelace+shop@Example.ORG "}, "c7ac11674614cad42348e92d54eb6680"},
		{channel.Address{Kind: "email", Address: "jürgen@Müller.example."}, "20363d3698d4a0394827b797a6fc1086"},
		{channel.Address{Kind: "email", Address: "unknown-0123456789abcdef@sender.invalid"}, "2666cdeb813bd58e452566cf4e4d4229"},
		{channel.Address{Kind: "email", Address: "no address"}, "90a4e1d185db73408a337ad118ca4c8b"},
		{channel.Address{Kind: "chat", Scope: "shop", Address: "v1abc"}, "7947f181d6064fbf40e4312eae634c76"},
		{channel.Address{Kind: "chat", Scope: "shop", Address: "sub:Ada"}, "76f0664a159169ee4c1ab7f69a10be56"},
		{channel.Address{Kind: "external", Scope: "shop", Address: "4711"}, "c36a3d3ae6ce8312092cbf04c89fba50"},
		{channel.Address{Kind: "unknown", Scope: "support", Address: "email/mail #00"}, "29ba9ba6fb503513451cd25dd467e648"},
		{channel.Address{Kind: "phone", Address: "+4930123456"}, "64393a3cfb227f12801db0e60d21c3db"},
		{channel.Address{Kind: "matrix", Address: "@Ada:Example.ORG"}, "f361863b20429b5695f158814620f06c"},
	} {
		if got := handleid.Of(keys, c.a); got != c.want {
			t.Errorf("%s %q in %q is %s now, was %s", c.a.Kind, c.a.Address, c.a.Scope, got, c.want)
		}
	}
}
