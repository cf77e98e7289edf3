//go:build !unix

package counters

import "os"

// tryLock does nothing where there are no advisory locks: there, instances must
// not share a folder.
func tryLock(*os.File) error { return nil }
