//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	role := os.Getenv(roleVariable)
	var err error
	switch role {
	case "":
		err = pinSelf(1)
	case rolePinned:
		err = run(os.Stdout, os.Args[1:])
	default:
		err = runRole(role, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// pinSelf starts the program anew on one core: threads that exist already cannot be bound from outside.
func pinSelf(core int) error {
	if runtime.NumCPU() < 2 {
		return errors.New("two cores are needed: one for the contender, one for load and backend service")
	}
	runtime.LockOSThread()
	if err := pin(core); err != nil {
		return err
	}
	return syscall.Exec(selfProgram, os.Args, append(os.Environ(), roleVariable+"="+rolePinned, "GOMAXPROCS=1"))
}

// bench is one run of the benchmark.
type bench struct {
	site
	turn      time.Duration
	rounds    int
	jwt       string
	chosen    []*contender
	scenarios []scenario
	profiles  string // folder for CPU profiles; empty: compare
}

func run(out io.Writer, args []string) error {
	b := &bench{}
	b.cores = [2]int{0, 1}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	names := flags.String("scenario", "", "scenarios, separated by commas; all by default")
	who := flags.String("contender", "", "contenders, separated by commas; all that the machine has by default")
	flags.StringVar(&b.gateway, "gateway", "bin/causeway", "the program causeway")
	flags.StringVar(&b.base, "base", "", "another build of the program, which takes part as \"base\"")
	flags.DurationVar(&b.turn, "turn", time.Second, "length of a contender's turn")
	flags.IntVar(&b.rounds, "rounds", 5, "turns of each contender in each scenario")
	flags.StringVar(&b.profiles, "profile", "", "write CPU profiles of our gateway to this `folder` instead of comparing")
	page := flags.String("page", "", "also write the table into this `file`, between its marks")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// What is started must not take this for its own role.
	if err := os.Unsetenv(roleVariable); err != nil {
		return err
	}
	if err := b.choose(*names, *who); err != nil {
		return err
	}
	report := &strings.Builder{}
	if err := b.runIn(io.MultiWriter(out, report)); err != nil {
		return err
	}
	if *page == "" {
		return nil
	}
	return writePage(*page, report.String())
}

// choose resolves names; unknown ones are an error.
func (b *bench) choose(names, who string) error {
	for _, sc := range scenarios() {
		if names == "" || slices.Contains(strings.Split(names, ","), sc.name) {
			b.scenarios = append(b.scenarios, sc)
		}
	}
	for _, c := range contenders() {
		if who != "" && !slices.Contains(strings.Split(who, ","), c.name) || b.profiles != "" && c.name != "causeway" {
			continue
		}
		b.chosen = append(b.chosen, c)
	}
	if len(b.scenarios) == 0 || len(b.chosen) == 0 {
		return fmt.Errorf("no scenario %q or no contender %q", names, who)
	}
	return nil
}

// runIn runs in a folder of its own, which goes away with a run that succeeds.
func (b *bench) runIn(out io.Writer) error {
	var err error
	for _, program := range []*string{&b.gateway, &b.base} {
		if *program == "" {
			continue
		}
		if *program, err = filepath.Abs(*program); err != nil {
			return err
		}
		if !isProgram(*program) {
			return fmt.Errorf("%s is missing: make build", *program)
		}
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { // servers that change their user
		return err
	}
	if b.cert, b.key, err = writeCertificate(b.dir); err != nil {
		return err
	}
	if b.backendPort, err = freePort(); err != nil {
		return err
	}
	backend, err := startPinned(b.cores[1], b.cores[1], []string{roleVariable + "=" + roleBackend, "GOMAXPROCS=1"}, os.Stderr, selfProgram, strconv.Itoa(b.backendPort))
	if err != nil {
		return err
	}
	defer backend.stop()
	if err := awaitAnswer(b.backendPort, "/plain/b512", 10*time.Second, nil); err != nil {
		return fmt.Errorf("backend service: %w", err)
	}
	b.describe(out)
	for _, many := range []bool{false, true} {
		if err := b.runSite(out, many); err != nil {
			return fmt.Errorf("%w (files in %s)", err, b.dir)
		}
	}
	return os.RemoveAll(b.dir)
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// describe writes what takes part.
func (b *bench) describe(out io.Writer) {
	var missing []string
	b.chosen = slices.DeleteFunc(b.chosen, func(c *contender) bool {
		found := c.find(&b.site) != ""
		if !found && c.name != "base" { // which is there when it is asked for
			missing = append(missing, c.name)
		}
		return !found
	})
	fmt.Fprintf(out, "One core for the contender, one for load and backend service; %d turns of %v each, medians.", b.rounds, b.turn)
	if len(missing) > 0 {
		fmt.Fprintf(out, " Not on this machine: %s.", strings.Join(missing, ", "))
	}
	fmt.Fprintf(out, "\nVersions: %s.\n\n", strings.Join(b.versions(), "; "))
}

// versions are what the contenders say of themselves.
func (b *bench) versions() []string {
	list := []string{runtime.Version()}
	for _, c := range b.chosen {
		flag := map[string]string{"nginx": "-v", "haproxy": "-v", "caddy": "version", "traefik": "version"}[c.name]
		if flag == "" {
			continue
		}
		text, err := exec.Command(c.find(&b.site), flag).CombinedOutput()
		line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		if err == nil {
			list = append(list, c.name+" "+strings.Join(strings.Fields(strings.TrimPrefix(line, "nginx version: ")), " "))
		}
	}
	return list
}

// runSite runs the scenarios with few or many operations.
func (b *bench) runSite(out io.Writer, many bool) error {
	var here []scenario
	for _, sc := range b.scenarios {
		if sc.many == many {
			here = append(here, sc)
		}
	}
	if len(here) == 0 {
		return nil
	}
	operations := 0
	if b.many = many; many {
		operations = manyOperations
	}
	var err error
	if b.plane, err = newPlane(b.backendPort, operations); err != nil {
		return err
	}
	defer b.plane.close()
	if b.jwt, err = b.plane.jwt(); err != nil {
		return err
	}
	var running []*instance
	defer func() {
		for _, in := range running {
			in.stop()
		}
	}()
	for _, c := range b.chosen {
		if many && slices.Contains(c.lacks, "routes") {
			continue
		}
		in, err := c.start(&b.site)
		if err != nil {
			return err
		}
		running = append(running, in)
	}
	for _, sc := range here {
		if b.profiles != "" {
			err = b.profile(sc, running[0])
		} else {
			err = b.compare(out, sc, running)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
	}
	if many && b.profiles == "" && running[0].name == "causeway" {
		return b.reportMany(out, running[0])
	}
	return nil
}

// compare gives each contender its turns and writes the scenario's table.
func (b *bench) compare(out io.Writer, sc scenario, running []*instance) error {
	var taking []*instance
	for _, in := range running {
		if !slices.Contains(in.lacks, sc.name) {
			taking = append(taking, in)
		}
	}
	rate, rounds := 0.0, b.rounds
	switch sc.traffic {
	case pacedTraffic:
		reference := taking[min(1, len(taking)-1)]
		full, err := b.measure(scenarios()[0], reference, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", reference.name, err)
		}
		rate = full.throughput / 2
		fmt.Fprintf(out, "The rate is %.0f requests a second.\n", rate)
	case idleTraffic:
		rounds = 1 // what is freed goes back to the system late
	}
	turns := make([][]*round, len(taking))
	for range rounds {
		for i, in := range taking {
			r, err := b.measure(sc, in, rate)
			if err != nil {
				return fmt.Errorf("%s: %w", in.name, err)
			}
			turns[i] = append(turns[i], r)
		}
	}
	writeTable(out, sc, taking, turns)
	return nil
}
