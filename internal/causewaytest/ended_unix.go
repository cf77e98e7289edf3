//go:build unix

package causewaytest

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// Ended reports whether a process has ended. Where nobody buries orphans, as in many containers, their numbers stay in use.
func Ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // NUMBER (NAME) STATE …
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}
