package main

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory makes the garbage collector work harder before the memory of the process's control group is at its end, and returns how much there is
// for the process in bytes; 0 when nothing limits it. GOMEMLIMIT, which the runtime reads by itself, goes before.
func limitMemory() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	limit := groupMemory("/")
	if limit <= 0 {
		return 0
	}
	const share = 90 // percent: the rest is for what the runtime does not count
	limit = limit / 100 * share
	debug.SetMemoryLimit(limit)
	return limit
}

// groupMemory is the least memory limit of the process's control group and those above it, of version 2 or 1 (Linux: cgroups(7)); 0 for none.
func groupMemory(root string) (least int64) {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0 // not Linux
	}
	note := func(file string) {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return
		}
		// Version 2 says max, version 1 a number that no machine has.
		n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err == nil && n > 0 && n < 1<<50 && (least == 0 || n < least) {
			least = n
		}
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		dir, file := "sys/fs/cgroup", "memory.max"
		switch {
		case fields[1] == "" && fields[0] == "0":
		case strings.Contains(","+fields[1]+",", ",memory,"):
			dir, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			note(path.Join(dir, group, file)) // in a container the group's own path may not be there, but the root is its own
			if group == "/" {
				break
			}
		}
	}
	return least
}
