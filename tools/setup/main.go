// Setup installs what the project's two commands need beyond Go, and builds the web pages.
//
//	go run -C tools ./setup run    what `make run` needs
//	go run -C tools ./setup test   what `make test` needs as well
//
// It says what it does, does nothing that is done already, and ends within a second when everything is there. What is
// missing is installed from the distribution when the system is Debian or like it and the user is root; otherwise it
// says what to install.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 || (os.Args[1] != "run" && os.Args[1] != "test") {
		fmt.Fprintln(os.Stderr, "usage: go run -C tools ./setup run|test")
		os.Exit(2)
	}
	if err := setUp(ctx, os.Args[1] == "test"); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

// setUp does the work; the current folder is the tools' own.
func setUp(ctx context.Context, tests bool) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return fmt.Errorf("looking for the project's folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(root, "tools", "setup")); err != nil {
		return fmt.Errorf("run it as `go run -C tools ./setup`: %w", err)
	}
	if tests {
		if err := install(ctx, testNeeds(), debian()); err != nil {
			return err
		}
	}
	return buildWeb(ctx, filepath.Join(root, "web"))
}
