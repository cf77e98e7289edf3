package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// setting is one setting of APIM's self-hosted gateway ("Self-hosted gateway
// container configuration settings") or one of ours.
type setting struct {
	name   string
	normal string // default
	kind   settingKind
	words  []string // of an enumeration
	secret bool
	idle   bool // accepted, without effect in this version
}

type settingKind int

const (
	kindText settingKind = iota
	kindBool
	kindDuration // hh:mm:ss as .NET writes it, or Go's form
	kindNumber   // of a port
	kindCount    // of anything, 0 included
	kindWord
)

// gatewaySettings is the table of all settings, in the order in which `causeway
// gateway config` prints them.
var gatewaySettings = append([]setting{
	{name: "gateway.name"},
	{name: "config.service.endpoint"},
	{name: "config.service.auth", secret: true},
	{name: "config.service.auth.key", secret: true},
	{name: "config.service.auth.keyFile"},
	{name: "config.service.auth.renew", normal: "true", kind: kindBool},
	{name: "config.service.auth.azureAd.tenantId"},
	{name: "config.service.auth.azureAd.clientId"},
	{name: "config.service.auth.azureAd.clientSecret", secret: true},
	{name: "config.service.auth.azureAd.certificatePath"},
	{name: "config.service.auth.azureAd.authority", normal: "https://login.microsoftonline.com"},
	{name: "config.service.auth.azureAd.scope"},
	{name: "config.service.auth.tokenAudience", normal: configurationAudience},
	{name: "config.service.endpoint.disableCertificateValidation", normal: "false", kind: kindBool},
	{name: "config.service.tls.certificatePath"},
	{name: "config.service.tls.keyPath"},
	{name: "config.service.tls.authoritiesPath"},
	{name: "config.service.integration.timeout", normal: "00:01:40", kind: kindDuration},
	{name: "config.backup.key"},
	{name: "config.bundle"},
	{name: "config.bundle.publicKey"},
	{name: "neighborhood.host"},
	{name: "neighborhood.heartbeat.port", normal: "4291", kind: kindNumber},
	{name: "policy.rate-limit.sync.port", normal: "4290", kind: kindNumber},
	{name: "counters.redis.endpoint", secret: true},
	{name: "counters.redis.failure", normal: "open"},
	{name: "expressions.limits"},
	{name: "net.server.http.forwarded.proto.enabled", normal: "false", kind: kindBool},
	{name: "k8s.ingress.enabled", normal: "false", kind: kindBool, idle: true},
	{name: "k8s.ingress.namespace", normal: "default", idle: true},
	{name: "k8s.ingress.dns.suffix", normal: "svc.cluster.local", idle: true},
	{name: "k8s.ingress.config.path", idle: true},
	{name: "telemetry.metrics.local", normal: "none", kind: kindWord, words: []string{"none", "statsd"}},
	{name: "telemetry.metrics.local.statsd.endpoint"},
	{name: "telemetry.metrics.local.statsd.sampling"},
	{name: "telemetry.metrics.local.statsd.tag-format"},
	{name: "telemetry.metrics.prometheus.listen"},
	{name: "telemetry.metrics.cloud", normal: "true", kind: kindBool},
	{name: "observability.opentelemetry.enabled", normal: "false", kind: kindBool},
	{name: "observability.opentelemetry.collector.uri"},
	{name: "observability.opentelemetry.system-metrics.enabled", normal: "false", kind: kindBool},
	{name: "observability.opentelemetry.traces.enabled", normal: "false", kind: kindBool},
	{name: "observability.opentelemetry.traces.sampling", normal: "1"},
	{name: "observability.opentelemetry.traces.verbose", normal: "false", kind: kindBool},
	{name: "observability.opentelemetry.logs.enabled", normal: "false", kind: kindBool},
	{name: "observability.opentelemetry.histogram.buckets", normal: "5,10,25,50,100,250,500,1000,2500,5000,10000"},
	{name: "telemetry.logs.std", normal: "text", kind: kindWord, words: []string{"none", "text", "json"}},
	{name: "telemetry.logs.std.level", normal: "info", kind: kindWord, words: []string{"all", "debug", "info", "warn", "error", "fatal"}},
	{name: "telemetry.logs.std.color", normal: "true", kind: kindBool},
	{name: "telemetry.logs.local", normal: "auto", kind: kindWord, words: []string{"none", "auto", "localsyslog", "rfc5424", "journal", "json", "forward"}},
	{name: "telemetry.logs.local.localsyslog.endpoint"},
	{name: "telemetry.logs.local.localsyslog.facility"},
	{name: "telemetry.logs.local.rfc5424.endpoint"},
	{name: "telemetry.logs.local.rfc5424.facility"},
	{name: "telemetry.logs.local.journal.endpoint"},
	{name: "telemetry.logs.local.json.endpoint", normal: "127.0.0.1:8888"},
	{name: "logs.applicationinsights.endpoint", normal: "https://dc.services.visualstudio.com/v2/track"},
}, networkSettings...)

// settings are the effective settings with their origins.
type settings struct {
	values  map[string]settingValue
	unknown []string // sentences about names that nothing knows, or only another product
}

type settingValue struct {
	value, origin string
}

// underscore is the form of a setting's name that every platform passes on.
func underscore(name string) string {
	return strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(name))
}

// loadSettings reads the file, if one is named, and the environment, which
// wins. environ is a list of NAME=value.
func loadSettings(file string, environ []string) (*settings, error) {
	s := &settings{values: make(map[string]settingValue)}
	for _, d := range gatewaySettings {
		if d.normal != "" {
			s.values[d.name] = settingValue{d.normal, "default"}
		}
	}
	if file != "" {
		pairs, err := readSettingsFile(file)
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			s.take(p.name, p.value, file)
		}
	}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		s.take(name, value, "environment")
	}
	for _, d := range gatewaySettings {
		if err := d.check(s.values[d.name]); err != nil {
			return nil, err
		}
	}
	return s, s.checkRefused()
}

// take notes one value. Names that only resemble a setting are reported.
func (s *settings) take(name, value, origin string) {
	for _, d := range gatewaySettings {
		if strings.EqualFold(name, d.name) || strings.EqualFold(name, underscore(d.name)) {
			s.values[d.name] = settingValue{value, origin}
			return
		}
	}
	ours, sentence := arcName(name, origin)
	if sentence != "" {
		s.unknown = append(s.unknown, sentence)
	}
	if ours != "" {
		s.values[ours] = settingValue{value, origin}
	}
	if sentence != "" {
		return
	}
	if nearest := nearestSetting(name); nearest != "" {
		s.unknown = append(s.unknown, fmt.Sprintf("unknown setting %s (%s); the nearest known one is %s", name, origin, nearest))
	}
}

// nearestSetting returns the known name most like an unknown one that starts
// with a known first word; "" when it is not a setting at all.
func nearestSetting(name string) string {
	lower := strings.ToLower(name)
	best, bestDistance := "", 1<<30
	known := false
	for _, d := range gatewaySettings {
		word, _, _ := strings.Cut(strings.ToLower(d.name), ".")
		known = known || strings.HasPrefix(lower, word+".") || strings.HasPrefix(name, strings.ToUpper(word)+"_")
		for _, candidate := range [...]string{strings.ToLower(d.name), strings.ToLower(underscore(d.name))} {
			if n := distance(lower, candidate); n < bestDistance {
				best, bestDistance = d.name, n
			}
		}
	}
	// Kubernetes and others set variables such as GATEWAY_SERVICE_HOST: a name
	// with underscores has to be close to be taken for a misspelling.
	if !known || !strings.Contains(name, ".") && bestDistance > 3 {
		return ""
	}
	return best
}

// distance is the edit distance of two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (d *setting) check(v settingValue) error {
	if v.value == "" {
		return nil
	}
	fail := func(want string) error {
		return usageError("setting %s (%s) is %q; it must be %s", d.name, v.origin, v.value, want)
	}
	switch d.kind {
	case kindBool:
		if _, err := strconv.ParseBool(strings.ToLower(v.value)); err != nil {
			return fail("true or false")
		}
	case kindDuration:
		if _, err := parseTimeSpan(v.value); err != nil {
			return fail("a time such as 00:01:40")
		}
	case kindNumber:
		if n, err := strconv.Atoi(v.value); err != nil || n < 1 || n > 65535 {
			return fail("a port number")
		}
	case kindCount:
		if n, err := strconv.Atoi(v.value); err != nil || n < 0 {
			return fail("a number")
		}
	case kindWord:
		if !slices.Contains(d.words, strings.ToLower(v.value)) {
			return fail("one of " + strings.Join(d.words, ", "))
		}
	}
	return nil
}

// parseTimeSpan reads hh:mm:ss or a Go duration.
func parseTimeSpan(s string) (time.Duration, error) {
	if t, err := time.Parse("15:04:05", s); err == nil {
		return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second, nil
	}
	return time.ParseDuration(s)
}

// print writes a line for each setting: name, value and origin; secrets are masked.
func (s *settings) print(w io.Writer) {
	for _, d := range gatewaySettings {
		v := s.values[d.name]
		switch {
		case v.value == "":
			v = settingValue{"-", "unset"}
		case d.secret:
			v.value = "***"
		}
		fmt.Fprintln(w, d.name, v.value, v.origin)
	}
}

func (s *settings) text(name string) string { return s.values[name].value }

// count and duration read values that have been checked; one that is empty is 0.
func (s *settings) count(name string) int {
	n, _ := strconv.Atoi(s.values[name].value)
	return n
}

func (s *settings) duration(name string) time.Duration {
	d, _ := parseTimeSpan(s.values[name].value)
	return d
}

func (s *settings) flag(name string) bool {
	b, _ := strconv.ParseBool(strings.ToLower(s.values[name].value))
	return b
}

type settingPair struct{ name, value string }

// readSettingsFile reads name=value lines, the portal's env file, or YAML.
func readSettingsFile(file string) ([]settingPair, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w; check --settings", err)
	}
	if looksLikeYAML(data) {
		var tree map[string]any
		if err := yaml.Unmarshal(data, &tree); err != nil {
			return nil, usageError("read settings %s: %w", file, err)
		}
		return flattenSettings("", tree), nil
	}
	var pairs []settingPair
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, usageError("read settings %s: line %d is not name=value", file, n)
		}
		pairs = append(pairs, settingPair{strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)})
	}
	return pairs, lines.Err()
}

// looksLikeYAML decides by the first line that says something.
func looksLikeYAML(data []byte) bool {
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		colon, equals := strings.Index(line, ":"), strings.Index(line, "=")
		return line == "---" || colon >= 0 && (equals < 0 || colon < equals)
	}
	return false
}

func flattenSettings(prefix string, tree map[string]any) []settingPair {
	var pairs []settingPair
	for key, value := range tree {
		switch v := value.(type) {
		case map[string]any:
			pairs = append(pairs, flattenSettings(prefix+key+".", v)...)
		case nil:
		default:
			pairs = append(pairs, settingPair{prefix + key, fmt.Sprint(v)})
		}
	}
	return pairs
}
