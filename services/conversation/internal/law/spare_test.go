package law_test

import (
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// spared: an original that is named by what is stored of somebody living is
// never destroyed, however often its input comes, whatever moved meanwhile; and
// of one that was brought a second time nothing is kept.
func (w *world) spared() error {
	for _, in := range w.inputs {
		second := in
		second.raw.ProviderID = "again-" + in.raw.ProviderID
		for _, one := range []input{second, in, second, in} {
			before := len(w.all())
			if err := w.settle(w.deliver(one)); err != nil {
				return err
			}
			if n := len(w.all()) - before; n > 0 {
				return fmt.Errorf("%s: %d commits more", one.raw.ProviderID, n)
			}
		}
		if !w.discarded["in/"+second.raw.ProviderID] {
			return fmt.Errorf("the original %s is kept, and nothing names it", second.raw.ProviderID)
		}
	}
	erased := w.erased()
	for _, e := range w.erasures {
		erased[e.customer] = true
	}
	owners := w.derived()
	of := map[string]bool{} // inputs of which an erased customer had something
	named := map[string]string{}
	for _, c := range w.all() {
		for _, e := range c.Events {
			ref, unit := "", ""
			switch e := e.(type) {
			case event.MessageReceived:
				ref, unit = e.Raw, e.Unit
			case event.MessageChanged:
				ref, unit = e.Raw, e.Unit
			}
			if ref == "" {
				continue
			}
			named[ref] = unit
			of[ref] = of[ref] || erased[owners[unit]] || erased[c.of("customer")]
		}
	}
	for ref, unit := range named {
		if w.discarded[ref] && !of[ref] {
			return fmt.Errorf("the original %s was destroyed, although %s of %s names it", ref, unit, owners[unit])
		}
	}
	return nil
}
