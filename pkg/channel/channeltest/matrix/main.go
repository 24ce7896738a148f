// Matrix writes docs/channels.md's table: what every adapter was asked, and what
// came out, with the counterpart it was asked beside.
//
//	matrix -in DIR -doc docs/channels.md
//
// DIR holds what the adapters' conformance tests wrote with WEFTLINE_MATRIX=DIR.
// The table stands between two marks in the document; the rest of it is left
// alone. It exits with 1 where an adapter failed.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel/channeltest"
)

const (
	begin = "<!-- matrix: written by .ci/channels -->\n"
	end   = "<!-- end of matrix -->\n"
)

func main() {
	in := flag.String("in", "", "`directory` of the columns")
	doc := flag.String("doc", "", "`document` to write the table into")
	flag.Parse()
	if err := run(*in, *doc); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(in, doc string) error {
	columns, err := read(in)
	if err != nil {
		return err
	}
	table := render(columns)
	fmt.Print(table)
	if err := replace(doc, table); err != nil {
		return err
	}
	for _, c := range columns {
		for check, result := range c.Results {
			if result == "✗" {
				return fmt.Errorf("%s fails %s", c.Name, check)
			}
		}
	}
	return nil
}

func read(dir string) ([]channeltest.Column, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var columns []channeltest.Column
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		var c channeltest.Column
		if err := json.Unmarshal(b, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		columns = append(columns, c)
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("%s holds no columns: run the conformance tests with WEFTLINE_MATRIX=%s first", dir, dir)
	}
	slices.SortFunc(columns, func(a, b channeltest.Column) int { return strings.Compare(a.Name, b.Name) })
	return columns, nil
}

func render(columns []channeltest.Column) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.Name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, check := range channeltest.Checks() {
		fmt.Fprintf(&b, "| **%s**: %s |", check.Name, check.Says)
		for _, c := range columns {
			result := c.Results[check.Name]
			if result == "" {
				result = "?"
			}
			fmt.Fprintf(&b, " %s |", result)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nWhat each was asked beside, and why a check has no meaning for it (–):\n\n")
	for _, c := range columns {
		fmt.Fprintf(&b, "* **%s**: %s.\n", c.Name, c.Counterpart)
		for _, check := range channeltest.Checks() {
			if why := c.Without[check.Name]; why != "" {
				fmt.Fprintf(&b, "  * %s: %s.\n", check.Name, why)
			}
		}
	}
	return b.String()
}

func replace(path, table string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(b, []byte(begin))
	_, tail, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the table: %s…%s", path, begin, end)
	}
	return os.WriteFile(path, slices.Concat(head, []byte(begin), []byte(table), []byte(end), tail), 0o644)
}
