//go:build linux || darwin

package main

import "syscall"

// diskRoom is how many bytes may still be written to a folder.
func diskRoom(folder string) (int64, bool) {
	var fs syscall.Statfs_t
	err := syscall.Statfs(folder, &fs)
	return int64(fs.Bavail) * int64(fs.Bsize), err == nil
}

// openFilesLimit is how many files a process may have open.
func openFilesLimit() (uint64, bool) {
	var files syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
	return files.Max, err == nil
}
