package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

func TestGatewayLogTargets(t *testing.T) {
	t.Parallel()
	cases := []struct {
		settings []string
		want     string // targets, or the start of an error
	}{
		{nil, ""},
		{[]string{"telemetry.logs.local=none", "telemetry.logs.local.rfc5424.endpoint=127.0.0.1:514"}, ""},
		{[]string{"telemetry.logs.local.localsyslog.endpoint=/dev/log", "telemetry.logs.local.localsyslog.facility=7"}, "localsyslog"},
		{[]string{"telemetry.logs.local.json.endpoint=127.0.0.1:9999", "telemetry.logs.local.rfc5424.endpoint=tcp://127.0.0.1:601"}, "rfc5424 json"},
		{[]string{"telemetry.logs.local=json"}, "json"},
		{[]string{"telemetry.logs.local=journal"}, "journal"},
		{[]string{"telemetry.logs.local=rfc5424"}, "settings telemetry.logs.local.rfc5424.*: the endpoint is required"},
		{[]string{"telemetry.logs.local.rfc5424.endpoint=h:514", "telemetry.logs.local.rfc5424.facility=99"}, "settings telemetry.logs.local.rfc5424.*: \"99\" is not"},
		{[]string{"observability.opentelemetry.logs.enabled=true"}, "setting observability.opentelemetry.collector.uri is required"},
	}
	for _, c := range cases {
		s, err := loadSettings("", c.settings)
		if err != nil {
			t.Fatal(err)
		}
		log, err := gatewayLog(&bytes.Buffer{}, s)
		if err != nil {
			if c.want == "" || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v: %v", c.settings, err)
			}
			continue
		}
		targets := targetsOf(log)
		targets.close()
		var names []string
		for _, target := range chosenTargets(s) {
			names = append(names, string(target))
		}
		if got := strings.Join(names, " "); got != c.want || len(targets.sinks) != len(names) {
			t.Errorf("%v: %q with %d sinks, not %q", c.settings, got, len(targets.sinks), c.want)
		}
	}
}

// TestLogGoesToBoth writes a line to the standard output and to a target.
func TestLogGoesToBoth(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, err := loadSettings("", []string{"telemetry.logs.local=json", "telemetry.logs.local.json.endpoint=" + conn.LocalAddr().String(), "telemetry.logs.std=text"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log, err := gatewayLog(&out, s)
	if err != nil {
		t.Fatal(err)
	}
	log.With("who", "me").Warn("Look.")
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	b := make([]byte, 1000)
	n, _, err := conn.ReadFrom(b)
	if err != nil || !strings.Contains(string(b[:n]), `"message":"Look.","who":"me"`) || !strings.Contains(out.String(), "[Message] Look., who: me") {
		t.Errorf("got %s and %s, %v", b[:n], out.String(), err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	targetsOf(log).run(ended, "edge", "1")
}
