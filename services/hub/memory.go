package main

import (
	"math"
	"os"
	"strconv"
	"strings"
)

// machineMemory is how many bytes of memory this process can have: the
// machine's, or its control group's where that is less. 0 where it cannot be
// known (not Linux).
func machineMemory() uint64 {
	most := uint64(math.MaxUint64)
	info, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(info)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			if kb, err := strconv.ParseUint(f[1], 10, 64); err == nil {
				most = kb << 10
			}
		}
	}
	limit, _ := os.ReadFile("/sys/fs/cgroup/memory.max") // "max" where there is none
	if n, err := strconv.ParseUint(strings.TrimSpace(string(limit)), 10, 64); err == nil {
		most = min(most, n)
	}
	if most == math.MaxUint64 {
		return 0
	}
	return most
}
