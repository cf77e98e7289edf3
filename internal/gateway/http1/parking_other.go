//go:build !linux

package http1

// parking takes no connections here: each waits in a goroutine of its own. See the file for Linux.
type parking struct{}

type parked struct{}

func (*parking) park(*conn) bool { return false }

func (*parking) close() {}
