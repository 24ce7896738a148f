// Command page writes the catalogue of public events: page <event.proto> <events.md>.
package main

import (
	"fmt"
	"os"

	"github.com/weftline/weftline/services/stream/internal/catalogue"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("got %d arguments, want the protobuf file and the page", len(args))
	}
	proto, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	page, err := catalogue.Page(string(proto))
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], []byte(page), 0o644)
}
