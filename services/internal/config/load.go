package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	stdyaml "go.yaml.in/yaml/v3"
)

const envPrefix = "WEFTLINE_"

// envElsewhere are variables of ours that are no configuration keys.
var envElsewhere = []string{"WEFTLINE_KEK", "WEFTLINE_CONFIG"}

// LeftOutError says what has no meaning. All else was read: the Config returned
// with it can be validated, so that one typing error does not hide the others.
type LeftOutError struct{ What error }

func (e *LeftOutError) Error() string { return e.What.Error() }
func (e *LeftOutError) Unwrap() error { return e.What }

// Load reads path (empty: none), environ (os.Environ) and flags (key → value,
// only those given) over the defaults. It does not validate values. What it does
// not know is a *LeftOutError, unless there is worse.
func Load(path string, environ []string, flags map[string]string) (Config, error) {
	k := koanf.New(".")
	var unknown error
	if path != "" {
		var err error
		if unknown, err = loadFile(k, path); err != nil {
			return Config{}, err
		}
	}
	env, err := fromEnviron(environ)
	if unknown = errors.Join(unknown, err); unknown != nil {
		unknown = &LeftOutError{unknown}
	}
	for _, layer := range []map[string]string{env, flags} {
		m := make(map[string]any, len(layer))
		for key, v := range layer {
			if key == "target" {
				m[key] = strings.Split(v, ",")
				continue
			}
			m[key] = v
		}
		if err := k.Load(confmap.Provider(m, "."), nil); err != nil {
			return Config{}, fmt.Errorf("merge settings: %w", err)
		}
	}
	c := Defaults()
	var wrong []error
	raw := fit("", reflect.TypeFor[Config](), k.Raw(), func(key, value, allowed string) {
		wrong = append(wrong, &KeyError{key, value, allowed})
	})
	if len(wrong) > 0 {
		return Config{}, errors.Join(append([]error{unknown}, wrong...)...)
	}
	fitted := koanf.New(".")
	if err := fitted.Load(confmap.Provider(raw.(map[string]any), ""), nil); err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if err := fitted.UnmarshalWithConf("", &c, koanf.UnmarshalConf{Tag: "koanf"}); err != nil {
		return Config{}, fmt.Errorf("configuration: %s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Listen
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return c, unknown
}

// loadFile reads a file into k; unknown is what has no meaning in it.
func loadFile(k *koanf.Koanf, path string) (unknown, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("config file %s: %w", path, errors.Unwrap(err))
	}
	if err := oneDocument(path); err != nil {
		return nil, fmt.Errorf("config file %s: %w", path, err)
	}
	f := koanf.New(".")
	if err := f.Load(file.Provider(path), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("config file %s: %w", path, err)
	}
	if unknown = refuseUnknown(f.Raw()); unknown != nil {
		unknown = fmt.Errorf("config file %s: %w", path, unknown)
	}
	return unknown, k.Merge(f)
}

// oneDocument refuses what the parser would leave out: everything after a second "---".
func oneDocument(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d := stdyaml.NewDecoder(f)
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil // the parser says it better
	}
	if err := d.Decode(&doc); !errors.Is(err, io.EOF) {
		return errors.New("it has a second document (after a line ---): one is read")
	}
	return nil
}

// scalarKeys are the dotted names of everything but inboxes.
func scalarKeys() []string {
	var keys []string
	var walk func(prefix string, t reflect.Type)
	walk = func(prefix string, t reflect.Type) {
		for f := range t.Fields() {
			name := prefix + f.Tag.Get("koanf")
			switch {
			case f.Type.Kind() == reflect.Struct:
				walk(name+".", f.Type)
			case name != "inboxes":
				keys = append(keys, name)
			}
		}
	}
	walk("", reflect.TypeFor[Config]())
	return keys
}

// refuseUnknown walks the file as read, because a decoder would lose the path.
func refuseUnknown(raw map[string]any) error {
	known := scalarKeys()
	var errs []error
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			name := prefix + key
			if name == "inboxes" {
				errs = append(errs, refuseUnknownIn(name, m[key], []string{"id", "channel", "name", "settings", "paused"})...)
				continue
			}
			if name == "email.listen" {
				errs = append(errs, refuseUnknownIn(name, m[key], fieldsOf[MailListener]())...)
				continue
			}
			if slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, name+".") }) {
				sub, _ := m[key].(map[string]any) // what is none is refused when it is fitted
				walk(name+".", sub)
				continue
			}
			if !slices.Contains(known, name) {
				errs = append(errs, &KeyError{name, "", "unknown key" + suggest(name, append(known, "inboxes"))})
			}
		}
	}
	walk("", raw)
	return errors.Join(errs...)
}

// refuseUnknownIn looks at a list of maps.
func refuseUnknownIn(name string, v any, fields []string) (errs []error) {
	list, _ := v.([]any)
	for i, e := range list {
		m, _ := e.(map[string]any) // what is none is refused when it is fitted
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !slices.Contains(fields, key) {
				errs = append(errs, &KeyError{fmt.Sprintf("%s[%d].%s", name, i, key), "", "unknown key" + suggest(key, fields)})
			}
		}
	}
	return errs
}

// fieldsOf are the keys of a struct type.
func fieldsOf[T any]() []string { return keysOf(reflect.TypeFor[T]()) }

// fromEnviron maps WEFTLINE_OWNER_EMAIL to owner.email and reads *_FILE variants.
func fromEnviron(environ []string) (map[string]string, error) {
	names := map[string]string{}
	for _, k := range scalarKeys() {
		names[envPrefix+strings.ToUpper(strings.ReplaceAll(k, ".", "_"))] = k
	}
	out := map[string]string{}
	var errs []error
	for _, kv := range environ {
		name, v, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, "WEFTLINE_TEST_") || slices.Contains(envElsewhere, strings.TrimSuffix(name, "_FILE")) {
			continue
		}
		if key, ok := names[name]; ok {
			out[key] = v
			continue
		}
		if key, ok := names[strings.TrimSuffix(name, "_FILE")]; ok {
			b, err := os.ReadFile(v)
			if err != nil {
				errs = append(errs, fmt.Errorf("environment %s: %w", name, err))
				continue
			}
			out[key] = strings.TrimRight(string(b), "\r\n")
			continue
		}
		errs = append(errs, fmt.Errorf("environment %s: unknown variable%s", name, suggest(name, slices.Collect(maps.Keys(names)))))
	}
	return out, errors.Join(errs...)
}

// suggest names the nearest known key, if one is near.
func suggest(key string, known []string) string {
	best, dist := "", 3
	slices.Sort(known)
	for _, k := range known {
		if d := distance(key, k); d < dist {
			best, dist = k, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
