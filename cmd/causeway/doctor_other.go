//go:build !linux && !darwin

package main

// diskRoom and openFilesLimit are not known here.
func diskRoom(string) (int64, bool) { return 0, false }

func openFilesLimit() (uint64, bool) { return 0, false }
