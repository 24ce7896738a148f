package config

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// fit brings a value as it was read to a key's type, or says what is allowed.
// A decoder would do it too, but it cuts fractions off, makes "0" of false, and
// speaks of itself.
func fit(key string, t reflect.Type, v any, bad func(key, value, allowed string)) any {
	if v == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return fitStruct(key, t, v, bad)
	case reflect.Slice:
		return fitList(key, t, v, bad)
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			bad(key, "", "keys with values")
			return v
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			m[k] = fit(key+"."+k, t.Elem(), m[k], bad)
		}
		return m
	case reflect.String:
		switch b := v.(type) {
		case bool:
			return strconv.FormatBool(b)
		case map[string]any, []any:
			bad(key, "", "one value, no list and no keys")
		}
	case reflect.Int:
		if n, ok := whole(v); ok {
			return n
		}
		bad(key, fmt.Sprint(v), "a whole number")
		return 0
	case reflect.Float64:
		if f, err := strconv.ParseFloat(strings.TrimSpace(fmt.Sprint(v)), 64); err == nil {
			return f
		}
		bad(key, fmt.Sprint(v), "a number")
		return 0.0
	case reflect.Bool:
		if b, err := strconv.ParseBool(fmt.Sprint(v)); err == nil {
			return b
		}
		bad(key, fmt.Sprint(v), "true or false")
		return false
	}
	return v
}

func fitStruct(key string, t reflect.Type, v any, bad func(key, value, allowed string)) any {
	m, ok := v.(map[string]any)
	if !ok {
		bad(key, "", "keys below it: "+strings.Join(keysOf(t), ", "))
		return map[string]any{}
	}
	for f := range t.Fields() {
		name := f.Tag.Get("koanf")
		below := name
		if key != "" {
			below = key + "." + name
		}
		if sub, ok := m[name]; ok {
			m[name] = fit(below, f.Type, sub, bad)
		}
	}
	return m
}

// fitList takes text with commas, as the environment has it, for a list of text.
func fitList(key string, t reflect.Type, v any, bad func(key, value, allowed string)) any {
	var list []any
	switch l := v.(type) {
	case []any:
		list = l
	case []string:
		return l
	case string:
		if t.Elem().Kind() == reflect.String {
			return splitList(l)
		}
		bad(key, "", "a list, in the file")
		return nil
	case map[string]any:
		bad(key, "", "a list, each after a dash") // what is in it may be secret
		return nil
	default:
		bad(key, fmt.Sprint(v), "a list")
		return nil
	}
	for i, e := range list {
		list[i] = fit(fmt.Sprintf("%s[%d]", key, i), t.Elem(), e, bad)
	}
	return list
}

func splitList(s string) []string {
	list := []string{}
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			list = append(list, v)
		}
	}
	return list
}

// whole is v as a whole number; 1.5, true and "many" are none.
func whole(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case float64:
		return int(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	}
	n, err := strconv.Atoi(strings.TrimSpace(fmt.Sprint(v)))
	return n, err == nil
}

func keysOf(t reflect.Type) (keys []string) {
	for f := range t.Fields() {
		keys = append(keys, f.Tag.Get("koanf"))
	}
	return keys
}
