//go:build !race

package csharp

// poisonScratch is for builds with the race detector: see there.
const poisonScratch = false
