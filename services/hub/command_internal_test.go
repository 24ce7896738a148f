package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command line as a person meets it: nothing here opens a hub.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"help names the commands":        {[]string{"-h"}, exitOK, "hub poison"},
		"help, as a word":                {[]string{"help"}, exitOK, "hub poison"},
		"help of a first word":           {[]string{"token", "-h"}, exitOK, "hub token create"},
		"help behind a word":             {[]string{"poison", "list", "-h"}, exitOK, "hub poison show SEQ"},
		"no command":                     {[]string{"tokens"}, exitUsage, `"tokens" is not a command`},
		"half a command":                 {[]string{"token"}, exitUsage, `"token" is not a command`},
		"unknown flag":                   {[]string{"-nonsense"}, exitUsage, "-nonsense"},
		"too many arguments":             {[]string{"verify", "all", "-data", none}, exitUsage, `"all": unexpected argument`},
		"a flag behind an argument":      {[]string{"poison", "list", "-data", none}, exitUsage, none + " is no data directory"},
		"a flag between arguments":       {[]string{"poison", "show", "-data", none, "1"}, exitUsage, none + " is no data directory"},
		"no flags behind two dashes":     {[]string{"poison", "-data", none, "--", "skip", "1", "-why"}, exitUsage, none + " is no data directory"},
		"a token of nothing":             {[]string{"token", "create", "-data", none}, exitUsage, none + " is no data directory"},
		"a token for nothing":            {[]string{"token", "create", "-scopes", "everything"}, exitUsage, `"everything" is not allowed`},
		"revoke what":                    {[]string{"token", "revoke"}, exitUsage, "ID is missing"},
		"import of nothing":              {[]string{"import", none}, exitUsage, "hub: " + none + ": no such file or directory"},
		"an action there is not":         {[]string{"audit", "list", "-action", "nope"}, exitUsage, `"nope" is not allowed: one of login`},
		"a copy inside of the data":      {[]string{"backup", "-data", none, filepath.Join(none, "copy")}, exitUsage, "is inside of the data directory"},
		"verify of nothing":              {[]string{"verify", "-data", none}, exitUsage, none + " is no data directory"},
		"backup of nothing":              {[]string{"backup", "-data", none, none + "-copy"}, exitUsage, none + " is no data directory"},
		"rebuild of nothing":             {[]string{"rebuild", "-data", none}, exitUsage, none + " is no data directory"},
		"backup to nowhere":              {[]string{"backup", "-data", none}, exitUsage, "DIR is missing"},
		"a directory no socket fits in":  {[]string{"-data", filepath.Join(none, strings.Repeat("x", 100))}, exitUsage, "choose a shorter"},
		"an argument where none belongs": {[]string{"serve", "now"}, exitUsage, `"now": unexpected argument`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			code := run(t.Context(), c.args, nil, &out, &errs)
			if said := out.String() + errs.String(); code != c.code || !strings.Contains(said, c.says) {
				t.Errorf("hub %s: exit %d, want %d with %q, said:\n%s", strings.Join(c.args, " "), code, c.code, c.says, said)
			}
		})
	}
	t.Cleanup(func() {
		if _, err := os.Stat(none); err == nil {
			t.Errorf("a command made the directory %s", none)
		}
	})
}
