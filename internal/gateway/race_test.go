//go:build race

package gateway_test

// raceEnabled says that the race detector is on, which makes pools forget.
const raceEnabled = true
