//go:build !unix

package telemetry

import "time"

func processTimes() (user, system time.Duration, ok bool) { return 0, 0, false }

func residentMemory() (float64, bool) { return 0, false }
