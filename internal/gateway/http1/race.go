//go:build race

package http1

// poisonHeads makes the engine overwrite heads when their strings become invalid.
const poisonHeads = true
