package telemetry

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ServeMetrics answers the metrics in Prometheus' text format (version 0.0.4). Names are those of the metrics after apim_, in Prometheus'
// spelling: apim_requests_total, apim_duration_in_ms.
func (m *Metrics) ServeMetrics(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/metrics" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	// The reader has gone when this fails.
	_ = WritePrometheus(w, m.Read())
}

// WritePrometheus writes series, which are sorted by name.
func WritePrometheus(w io.Writer, series []Series) error {
	b := bufio.NewWriter(w)
	last := ""
	for i := range series {
		s := &series[i]
		name := "apim_" + snakeCase(s.Name)
		kind := "histogram"
		switch {
		case s.Gauge:
			kind = "gauge"
		case s.Histogram == nil:
			name, kind = name+"_total", "counter"
		}
		if name != last {
			b.WriteString("# TYPE " + name + " " + kind + "\n")
			last = name
		}
		if h := s.Histogram; h != nil {
			h.writePrometheus(b, name, s.Labels)
			continue
		}
		writeSample(b, name, s.Labels, "", s.Value)
	}
	return b.Flush()
}

func (h *Histogram) writePrometheus(b *bufio.Writer, name string, labels []Label) {
	total := uint64(0)
	for i, n := range h.Counts {
		total += n
		le := "+Inf"
		if i < len(h.Bounds) {
			le = strconv.FormatFloat(h.Bounds[i], 'g', -1, 64)
		}
		writeSample(b, name+"_bucket", labels, le, float64(total))
	}
	writeSample(b, name+"_sum", labels, "", h.Sum)
	writeSample(b, name+"_count", labels, "", float64(h.Count))
}

func writeSample(b *bufio.Writer, name string, labels []Label, le string, value float64) {
	b.WriteString(name)
	separator := byte('{')
	label := func(name, value string) {
		b.WriteByte(separator)
		b.WriteString(name + `="` + labelEscaper().Replace(value) + `"`)
		separator = ','
	}
	for _, l := range labels {
		label(snakeCase(l.Name), l.Value)
	}
	if le != "" {
		label("le", le)
	}
	if separator == ',' {
		b.WriteByte('}')
	}
	b.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

func labelEscaper() *strings.Replacer { return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`) }

// snakeCase makes a name that Prometheus takes: DurationInMs becomes duration_in_ms.
func snakeCase(name string) string {
	var b strings.Builder
	for i, c := range []byte(name) {
		switch {
		case c >= 'A' && c <= 'Z':
			if i > 0 && b.String()[b.Len()-1] != '_' && !(name[i-1] >= 'A' && name[i-1] <= 'Z') {
				b.WriteByte('_')
			}
			b.WriteByte(c + 'a' - 'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9' && i > 0:
			b.WriteByte(c)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}
