package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// at reads a path of a JSON value: names, places (-1 is the last) and * for
// all, separated by dots; length is how many there are. Several values are
// separated by |.
//
//	conversations.0.subject · entries.*.message.text · hits.length
func at(v any, path string) string {
	values := []any{v}
	for step := range strings.SplitSeq(path, ".") {
		var next []any
		if step == "length" && len(values) == 0 { // JSON of protobuf leaves empty lists out
			values = []any{nil}
		}
		for _, v := range values {
			next = append(next, into(v, step)...)
		}
		values = next
	}
	var out []string
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case string:
			out = append(out, v)
		default:
			out = append(out, text(v))
		}
	}
	return strings.Join(out, "|")
}

func into(v any, step string) []any {
	list, isList := v.([]any)
	switch {
	case step == "length":
		return []any{len(list)}
	case step == "*":
		return list
	case isList:
		i, err := strconv.Atoi(step)
		if i < 0 {
			i += len(list)
		}
		if err == nil && i >= 0 && i < len(list) {
			return []any{list[i]}
		}
	default:
		if m, ok := v.(map[string]any); ok && m[step] != nil {
			return []any{m[step]}
		}
	}
	return nil
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// matches: want is exact, or a regular expression after ~.
func matches(have, want string) bool {
	if re, ok := strings.CutPrefix(want, "~"); ok {
		return regexp.MustCompile(re).MatchString(have)
	}
	return have == want
}

func TestPath(t *testing.T) {
	t.Parallel()
	var v any
	if err := json.Unmarshal([]byte(`{"a":[{"b":"x"},{"b":"y","n":2},{}],"c":true}`), &v); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a.length": "3", "a.0.b": "x", "a.-2.n": "2", "a.*.b": "x|y", "a.7.b": "", "nothing.length": "0", "c": "true", "c.d": "",
	} {
		if got := at(v, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
