//go:build linux

package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// pin binds the calling thread, and what it starts, to one core.
func pin(core int) error {
	var mask [16]uint64
	mask[core/64] = 1 << (core % 64)
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	if errno != 0 {
		return fmt.Errorf("bind to core %d: %w", core, errno)
	}
	return nil
}

// process is a contender or the backend service under measurement.
type process struct {
	cmd *exec.Cmd
	pid int
}

// startPinned starts a program on a core. Its output goes to a file.
func startPinned(core, home int, env []string, output *os.File, name string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	// A child inherits the core of the thread that starts it. Pdeathsig goes by that thread too: it must not end before the program.
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := pin(core)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // programs are stopped by signals
		}
		_ = pin(home)
		runtime.UnlockOSThread()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return &process{cmd, cmd.Process.Pid}, nil
}

// stop ends the process and waits until its group is gone.
func (p *process) stop() {
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	for range 500 {
		if syscall.Kill(-p.pid, 0) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// members are the process and its descendants, which are in its group.
func (p *process) members() []int {
	pids := []int{p.pid}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && pid != p.pid && slices.Contains(statFields(pid, 2, 2), strconv.Itoa(p.pid)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// statFields returns fields first to last of /proc/PID/stat, counted from the one after the name (proc(5) counts it as 3).
func statFields(pid, first, last int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= last {
		return nil
	}
	return fields[first : last+1]
}

// cpu is the CPU time, user and system, that the processes have used so far.
func (p *process) cpu(pids []int) time.Duration {
	var total time.Duration
	for _, pid := range pids {
		// The clock of another process: clock_getcpuclockid(3), of the scheduler's kind, which counts nanoseconds and not ticks.
		var used syscall.Timespec
		const schedulers = 2
		_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, uintptr(int32(^pid<<3|schedulers)), uintptr(unsafe.Pointer(&used)), 0)
		if errno == 0 {
			total += time.Duration(used.Nano())
		}
	}
	return total
}

// memory is the sum of a line of /proc/PID/status, in bytes.
func (p *process) memory(pids []int, line string) int64 {
	var total int64
	for _, pid := range pids {
		f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if name, value, _ := strings.Cut(s.Text(), ":"); name == line {
				kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
				total += kib << 10
			}
		}
		f.Close()
	}
	return total
}

// resetPeak makes VmHWM begin anew (proc(5), clear_refs).
func (p *process) resetPeak(pids []int) {
	for _, pid := range pids {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // without it the peak is that of the whole run
	}
}

// freePort returns a port that was free just now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitAnswer asks until a request succeeds.
func awaitAnswer(port int, path string, patience time.Duration, header http.Header) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		request, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d%s", port, path), nil)
		if err != nil {
			return err
		}
		request.Header = header
		response, err := client.Do(request)
		if err != nil {
			last = err
			continue
		}
		response.Body.Close()
		if response.StatusCode == 200 {
			return nil
		}
		last = fmt.Errorf("status %d", response.StatusCode)
	}
	return fmt.Errorf("no good answer on %s: %w", path, last)
}
