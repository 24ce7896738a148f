package eventstore_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
)

type event interface{ event() }

type (
	opened struct {
		Subject string `json:"subject"`
	}
	named struct {
		First string `json:"first"`
		Last  string `json:"last"`
	}
	tagged struct {
		Tag string `json:"tag"`
	}
	stranger struct{}
)

func (opened) event()   {}
func (named) event()    {}
func (tagged) event()   {}
func (stranger) event() {}

// testCodec has a history: names were one field once, tags a list, and pings were stored.
func testCodec() *eventstore.Codec[event] {
	var up eventstore.Upcasters
	up.Add("test.named", 1, eventstore.Convert("test.named", 2,
		func(old struct{ Name string }) (named, error) {
			first, last, _ := strings.Cut(old.Name, " ")
			return named{First: first, Last: last}, nil
		}))
	up.Add("test.tagged", 1, func(r eventstore.Record) ([]eventstore.Record, error) {
		var old struct{ Tags []string }
		if err := json.Unmarshal(r.Data, &old); err != nil {
			return nil, err
		}
		var out []eventstore.Record
		for _, tag := range old.Tags {
			data, err := json.Marshal(tagged{tag})
			if err != nil {
				return nil, err
			}
			out = append(out, eventstore.Record{Type: "test.tagged", V: 2, Data: data})
		}
		return out, nil
	})
	up.Add("test.started", 1, eventstore.Rename("test.opened", 1))
	up.Add("test.pinged", 1, eventstore.Drop)
	c := eventstore.NewCodec[event](&up)
	c.Register("test.opened", 1, opened{})
	c.Register("test.named", 2, named{})
	c.Register("test.tagged", 2, tagged{})
	return c
}

func TestCodecReadsOldForms(t *testing.T) {
	t.Parallel()
	got, err := testCodec().Decode([]eventstore.Record{
		{Type: "test.started", V: 1, Data: json.RawMessage(`{"subject":"hi","later_field":1}`)},
		{Type: "test.pinged", V: 1, Data: json.RawMessage(`{}`)},
		{Type: "test.tagged", V: 1, Data: json.RawMessage(`{"Tags":["a","b"]}`)},
		{Type: "test.named", V: 1, Data: json.RawMessage(`{"Name":"Ada Lovelace"}`)},
		{Type: "test.named", V: 2, Data: json.RawMessage(`{"first":"Alan"}`)},
	})
	want := []event{opened{"hi"}, tagged{"a"}, tagged{"b"}, named{"Ada", "Lovelace"}, named{First: "Alan"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Decode = %v (-want +got):\n%s", err, diff)
	}
}

func TestCodecRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	c := testCodec()
	if _, err := c.Encode(stranger{}); err == nil {
		t.Error("Encode of a type that is not registered: no error")
	}
	if _, err := c.Encode(nil); err == nil {
		t.Error("Encode(nil): no error")
	}
	for _, want := range []eventstore.UnknownEventError{
		{Type: "test.unheard", V: 1},
		{Type: "test.named", V: 3, Known: 2},
		{Type: "test.opened", V: 2, Known: 1},
	} {
		_, err := c.Decode([]eventstore.Record{{Type: want.Type, V: want.V, Data: json.RawMessage(`{}`)}})
		var got *eventstore.UnknownEventError
		if !errors.As(err, &got) || *got != want {
			t.Errorf("Decode(%s v%d) = %v, want %v", want.Type, want.V, err, &want)
		}
	}
	if _, err := c.Decode([]eventstore.Record{{Type: "test.named", V: 1, Data: json.RawMessage(`[]`)}}); err == nil {
		t.Error("Decode of data an upcaster cannot read: no error")
	}
}

func TestCodecRefusesToRegisterTwice(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]func(*eventstore.Codec[event]){
		"name":    func(c *eventstore.Codec[event]) { c.Register("test.opened", 2, stranger{}) },
		"type":    func(c *eventstore.Codec[event]) { c.Register("test.again", 1, opened{}) },
		"nil":     func(c *eventstore.Codec[event]) { c.Register("test.nil", 1, nil) },
		"version": func(c *eventstore.Codec[event]) { c.Register("test.zero", 0, stranger{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			register(testCodec())
		}()
	}
}

func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	eventstoretest.Golden(t, testCodec(), "testdata/events", []event{
		opened{Subject: "Hello <world>"}, named{First: "Ada", Last: "Lovelace"}, named{}, tagged{Tag: "vip"},
	})
}
