//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: pinning processes to cores and reading their CPU time works on Linux only")
	os.Exit(1)
}
