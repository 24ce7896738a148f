package readmodel_test

import (
	"fmt"
	"testing"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// What was read before a write does not come back after it.
func TestCacheForgetsWhatWasWritten(t *testing.T) {
	t.Parallel()
	c := readmodel.NewCache()
	write := func(id string) { c.Forget([]docstore.Op{{Collection: "rows", Doc: docstore.Doc{ID: id}}}) }
	get := func(id string) any {
		docs, _ := c.Get("rows", []string{id})
		return docs[0]
	}
	_, moment := c.Get("rows", []string{"a"})
	write("a")
	c.Put("rows", "a", "old", moment)
	c.Put("rows", "b", "of b", moment)
	if get("a") != nil || get("b") != "of b" {
		t.Errorf("a %v, b %v", get("a"), get("b"))
	}
	_, moment = c.Get("rows", []string{"a"})
	c.Put("rows", "a", "new", moment)
	if get("a") != "new" {
		t.Errorf("a %v", get("a"))
	}
	write("a")
	if get("a") != nil {
		t.Error("a written document is still there")
	}
	_, moment = c.Get("rows", []string{"c"})
	write("c")
	for i := range 30_000 { // more writes than are remembered
		write(fmt.Sprint(i))
	}
	c.Put("rows", "c", "old", moment)
	if get("c") != nil {
		t.Error("read before what is remembered, and kept")
	}
}
