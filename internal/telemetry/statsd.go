package telemetry

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
)

// maxStatsDPacket is the length of a packet that passes networks whole.
const maxStatsDPacket = 1400

// StatsDOptions say where metrics go and in which form.
type StatsDOptions struct {
	Endpoint string  // host:port, with or without udp://
	Sampling float64 // share of the requests that is sent; 0 means all
	// TagFormat is none (or empty), librato, dogStatsD or influxDB.
	TagFormat string
	GatewayID string
}

// StatsD sends the metrics of requests as packets of UDP. It is for one goroutine.
type StatsD struct {
	o      StatsDOptions
	conn   net.Conn
	rate   string // "|@0.1"
	packet []byte
}

// OpenStatsD checks the options. Nobody needs to listen at the endpoint.
func OpenStatsD(o StatsDOptions) (*StatsD, error) {
	switch o.TagFormat = strings.ToLower(o.TagFormat); o.TagFormat {
	case "", "none", "librato", "dogstatsd", "influxdb":
	default:
		return nil, fmt.Errorf("tag format %q is not none, librato, dogStatsD or influxDB", o.TagFormat)
	}
	if o.Sampling == 0 {
		o.Sampling = 1
	}
	if !(o.Sampling > 0 && o.Sampling <= 1) {
		return nil, fmt.Errorf("sampling %v is not between 0 and 1", o.Sampling)
	}
	conn, err := net.Dial("udp", strings.TrimPrefix(o.Endpoint, "udp://"))
	if err != nil {
		return nil, err
	}
	s := &StatsD{o: o, conn: conn}
	if o.Sampling < 1 {
		s.rate = "|@" + strconv.FormatFloat(o.Sampling, 'g', -1, 64)
	}
	return s, nil
}

// Add sends the metrics of a request. What gets lost on the way is lost.
func (s *StatsD) Add(r *Record) {
	if s.o.Sampling < 1 && rand.Float64() >= s.o.Sampling {
		return
	}
	code, category := codeLabels(r.ResponseCode)
	tags := []Label{
		{"GatewayId", s.o.GatewayID}, {"Hostname", r.Host}, {"ResponseCode", code}, {"ResponseCodeCategory", category}, {"Status", string(r.Status())},
	}
	s.line("Requests", "1", "c", tags)
	for _, t := range []struct {
		name  string
		value float64
	}{{"DurationInMS", millis(r.TotalTime)}, {"BackendDurationInMS", millis(r.BackendTime)}, {"ClientDurationInMS", millis(r.ClientTime)}} {
		s.line(t.name, strconv.FormatFloat(t.value, 'f', -1, 64), "ms", tags[:2])
	}
	s.Flush()
}

// line adds a line to the packet.
func (s *StatsD) line(name, value, kind string, tags []Label) {
	var b strings.Builder
	clean := strings.NewReplacer(":", "_", "|", "_", ",", "_", "#", "_", "=", "_", " ", "_", "\n", "_")
	write := func(begin, equals string) {
		for _, t := range tags {
			if t.Value == "" {
				continue
			}
			b.WriteString(begin + t.Name + equals + clean.Replace(t.Value))
			begin = ","
		}
	}
	b.WriteString(name)
	switch s.o.TagFormat {
	case "librato":
		write("#", "=")
	case "influxdb":
		write(",", "=")
	}
	b.WriteString(":" + value + "|" + kind + s.rate)
	if s.o.TagFormat == "dogstatsd" {
		write("|#", ":")
	}
	if len(s.packet)+b.Len() >= maxStatsDPacket {
		s.Flush()
	}
	if len(s.packet) > 0 {
		s.packet = append(s.packet, '\n')
	}
	s.packet = append(s.packet, b.String()...)
}

// Flush sends what waits.
func (s *StatsD) Flush() {
	if len(s.packet) > 0 {
		_, _ = s.conn.Write(s.packet) // an error tells that nobody listens
		s.packet = s.packet[:0]
	}
}

// Close ends sending.
func (s *StatsD) Close() error { return s.conn.Close() }
