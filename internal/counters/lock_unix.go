//go:build unix

package counters

import (
	"os"
	"syscall"
)

// tryLock takes the advisory lock of a file, or fails at once.
func tryLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
