//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// reportMany writes what a configuration with many operations costs: memory after a collection, and the time from the start of the process to
// the first request that is answered, with nothing but the disk copy.
func (b *bench) reportMany(out io.Writer, in *instance) error {
	if err := in.fetchProfile("heap?gc=1", os.DevNull); err != nil { // collects first
		return err
	}
	time.Sleep(3 * time.Second) // freed pages go back to the system by and by
	anon := in.memory(in.pids, "RssAnon")
	in.stop()
	b.plane.close()
	var times []time.Duration
	for range b.rounds {
		begin := time.Now()
		if err := in.launch(&b.site); err != nil {
			return err
		}
		err := awaitAnswer(in.port, routePath, 30*time.Second, nil)
		times = append(times, time.Since(begin))
		in.stop()
		if err != nil {
			return err
		}
	}
	var rounds []*round
	for _, d := range times {
		rounds = append(rounds, &round{p50: d})
	}
	fmt.Fprintf(out, "**%d operations**: %.0f MB anonymous resident after a collection; %.0f ms from start to the first request served, from the disk copy alone.\n\n",
		manyOperations, megabytes(anon), micros(median(rounds).p50)/1000)
	return nil
}

// fetchProfile stores what the gateway's listener for profiles answers.
func (in *instance) fetchProfile(name, file string) error {
	response, err := http.Get("http://" + local(in.profilePort) + "/debug/pprof/" + name)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile %s: %s", name, response.Status)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, response.Body)
	return errors.Join(err, f.Close())
}

// profile writes a CPU profile of a scenario; `go tool pprof -http :0 FILE` shows it as a flame graph.
func (b *bench) profile(sc scenario, in *instance) error {
	if err := os.MkdirAll(b.profiles, 0o755); err != nil {
		return err
	}
	file := filepath.Join(b.profiles, sc.name+".pprof")
	if sc.traffic == idleTraffic {
		release, err := load{port: in.port, request: b.request(sc, in), conns: sc.conns}.hold()
		if err != nil {
			return err
		}
		defer release()
		return in.fetchProfile("heap?gc=1", file)
	}
	rate := 5000.0
	const length = 5 * time.Second
	fetched := make(chan error, 1)
	go func() { fetched <- in.fetchProfile(fmt.Sprintf("profile?seconds=%d", int(length.Seconds())), file) }()
	b.turn = length + time.Second
	_, err := b.measure(sc, in, rate)
	return errors.Join(err, <-fetched)
}
