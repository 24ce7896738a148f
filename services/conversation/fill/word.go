package fill

import (
	"math/rand/v2"
	"strings"
)

// vocabulary of the messages; each has about twenty-five words of it.
var vocabulary = strings.Fields(`order parcel invoice delivery address blue green large small return refund
	broken missing late tomorrow yesterday please thank you could would when where why still not yet arrived
	shipping label warehouse courier payment card account password login email phone number question answer
	size colour jacket shoes lamp table chair kettle cable battery screen update version error message`)

// words are the text of message n: the same at every run.
func words(n int) string {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	var b strings.Builder
	for i := range 25 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
	}
	return b.String()
}
