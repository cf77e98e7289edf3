//go:build race

package csharp

// poisonScratch overwrites strings whose life has ended, so that tests find what keeps them.
const poisonScratch = true
