package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// mailSource fills the mailbox; the hub fetches.
func mailSource(box *mailbox) source {
	return source{name: "bench", inbox: box.inbox(), unnumbered: true, write: func(_ context.Context, _ *child, from, senders int) error {
		var errs []error
		for n := range eachSays {
			for i := range senders {
				sender := from + i
				id := fmt.Sprintf("<channels-%d-%d@mail.example.net>", sender, n)
				first := fmt.Sprintf("<channels-%d-0@mail.example.net>", sender)
				if n == 0 {
					first = ""
				}
				errs = append(errs, box.append(compose(fmt.Sprintf("c%d@example.net", sender), "Customer", "Order", id, first, sender)))
			}
		}
		errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
		return errors.Join(errs...)
	}}
}
