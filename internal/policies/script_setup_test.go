package policies_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// clock moves the clock: clock +60s
func (s *session) clock(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	s.host.now = s.host.now.Add(duration(strings.TrimPrefix(args[0], "+")))
}

// slept compares how long the last request slept: slept 3s
func (s *session) slept(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	if s.host.slept != duration(args[0]) {
		failf("the request slept %s", s.host.slept)
	}
}

// named sets a named value: named NAME VALUE
func (s *session) named(_ *testscript.TestScript, args []string) {
	need(args, 2, 2)
	s.host.namedValues[strings.ToLower(args[0])] = args[1]
}

// fragment sets a policy fragment: fragment NAME FILE
func (s *session) fragment(ts *testscript.TestScript, args []string) {
	need(args, 2, 2)
	s.host.fragments[strings.ToLower(args[0])] = ts.ReadFile(args[1])
}

// entity sets a backend entity: entity NAME URL
func (s *session) entity(_ *testscript.TestScript, args []string) {
	need(args, 2, 2)
	s.host.backends[strings.ToLower(args[0])] = &snapshot.Backend{Name: args[0], URL: args[1], Protocol: "http"}
}

// certificate sets a certificate: certificate NAME THUMBPRINT
func (s *session) certificate(_ *testscript.TestScript, args []string) {
	need(args, 2, 2)
	c := &snapshot.Certificate{Name: args[0], Thumbprint: args[1]}
	s.host.certificates[strings.ToLower(args[0])], s.host.certificates[strings.ToLower(args[1])] = c, c
}

// configure sets what a request belongs to: configure NAME=VALUE...
func (s *session) configure(_ *testscript.TestScript, args []string) {
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if err := s.config.set(name, value); err != nil {
			failf("%v", err)
		}
	}
}

// operation sets what the description says of the operation: operation FILE, a snapshot.Operation as JSON
func (s *session) operation(ts *testscript.TestScript, args []string) {
	need(args, 1, 1)
	s.config.operation = new(snapshot.Operation)
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), s.config.operation); err != nil {
		failf("%v", err)
	}
}

// schema sets a schema of the API or, without one, of the service: schema API/NAME FILE; XML schemas have the ending .xsd
func (s *session) schema(ts *testscript.TestScript, args []string) {
	need(args, 2, 2)
	document := json.RawMessage(ts.ReadFile(args[1]))
	if strings.HasSuffix(args[1], ".xsd") { // the API keeps it as a text
		document, _ = json.Marshal(map[string]string{"value": string(document)})
	}
	part, err := snapshot.Encode(snapshot.KindSchema, "schemas/s", snapshot.Schema{Document: document})
	if err != nil {
		failf("%v", err)
	}
	s.host.schemas[args[0]] = policy.NewSchema(part)
}

// backend sets the answers: backend [URL-PREFIX] [meet=]FILE|timeout|refused|never...; the last one repeats
func (s *session) backend(ts *testscript.TestScript, args []string) {
	need(args, 1, 20)
	prefix := ""
	if strings.Contains(args[0], "://") {
		prefix, args = args[0], args[1:]
	}
	var answers []answer
	for _, arg := range args {
		switch arg {
		case "timeout":
			answers = append(answers, answer{err: &policy.Error{Reason: policy.ReasonTimeout, Message: "The backend did not answer in time."}})
		case "refused":
			answers = append(answers, answer{err: &policy.Error{Reason: policy.ReasonBackendConnection, Message: "The backend refused the connection."}})
		case "never":
			answers = append(answers, answer{never: true})
		default:
			file, meet := strings.CutPrefix(arg, "meet=")
			answers = append(answers, answer{text: ts.ReadFile(file), meet: meet})
		}
	}
	s.host.answers[prefix] = answers
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		failf("%v", err)
	}
	return n
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		failf("%v", err)
	}
	return d
}
