package causewaytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// backendLimit is how long a script waits for the backend's side of what has been answered already.
const backendLimit = 30 * time.Second

// backendCommand is `backend start|answer|calls|expect|show|reset|stop NAME …`; README.md describes them.
func backendCommand(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: backend start|answer|calls|expect|show|reset|stop NAME …")
	}
	verb, name, rest := args[0], args[1], args[2:]
	if neg && verb != "expect" {
		return errNegated
	}
	if verb == "start" {
		return s.startBackend(ts, name, rest)
	}
	b := s.backends[name]
	if b == nil {
		return fmt.Errorf("no backend is called %s", name)
	}
	switch verb {
	case "answer":
		answers, err := readAnswers(ts, rest)
		if err != nil {
			return err
		}
		b.Answer(answers...)
		return nil
	case "calls":
		return b.checkCalls(rest)
	case "expect":
		err := b.checkLast(rest)
		if neg && err == nil {
			return errors.New("the last request is as described")
		}
		if neg {
			return nil
		}
		return err
	case "show":
		return b.showLast(s)
	case "reset":
		b.Reset()
		return nil
	case "stop":
		b.Close()
		delete(s.backends, name)
		return nil
	}
	return fmt.Errorf("backend %s is not known", verb)
}

func (s *session) startBackend(ts *testscript.TestScript, name string, args []string) error {
	if s.backends[name] != nil {
		return fmt.Errorf("backend %s has been started", name)
	}
	answers, err := readAnswers(ts, args)
	if err != nil {
		return err
	}
	b, err := StartBackend(answers...)
	if err != nil {
		return err
	}
	s.backends[name] = b
	ts.Setenv(variable(name, "url"), b.URL())
	ts.Setenv(variable(name, "addr"), b.Addr())
	return nil
}

func readAnswers(ts *testscript.TestScript, args []string) ([]Answer, error) {
	switch len(args) {
	case 0:
		return nil, nil
	case 1:
		return parseAnswers([]byte(expand(ts, ts.ReadFile(args[0]))))
	}
	return nil, errors.New("one file of answers at most")
}

// scriptAnswer is an answer as scripts write it.
type scriptAnswer struct {
	Status     int      `json:"status"`
	Reason     string   `json:"reason"`
	Header     []string `json:"header"` // "Name: value"
	Body       string   `json:"body"`
	Chunks     []string `json:"chunks"`
	Trailer    []string `json:"trailer"`
	Echo       bool     `json:"echo"`
	Early      []int    `json:"early"`
	Delay      string   `json:"delay"` // "100ms"
	ChunkDelay string   `json:"chunkDelay"`
	Cut        Cut      `json:"cut"`
}

// parseAnswers reads a JSON list of answers.
func parseAnswers(data []byte) ([]Answer, error) {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	var script []scriptAnswer
	if err := dec.Decode(&script); err != nil {
		return nil, fmt.Errorf("reading the answers: %w", err)
	}
	var answers []Answer
	for _, a := range script {
		answer := Answer{Status: a.Status, Reason: a.Reason, Body: a.Body, Chunks: a.Chunks, Echo: a.Echo, Early: a.Early, Cut: a.Cut}
		var err error
		if answer.Header, err = parseFields(a.Header); err != nil {
			return nil, err
		}
		if answer.Trailer, err = parseFields(a.Trailer); err != nil {
			return nil, err
		}
		if answer.Delay, err = parseDelay(a.Delay); err != nil {
			return nil, err
		}
		if answer.ChunkDelay, err = parseDelay(a.ChunkDelay); err != nil {
			return nil, err
		}
		switch a.Cut {
		case CutNever, CutBeforeHead, CutInBody, CutConnection:
		default:
			return nil, fmt.Errorf("cut %q is not known", a.Cut)
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

func parseFields(lines []string) ([]Field, error) {
	var fields []Field
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("header line %q has no colon", line)
		}
		fields = append(fields, Field{name, strings.TrimSpace(value)})
	}
	return fields, nil
}

func parseDelay(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

// checkCalls wants exactly n requests since the start or the last reset.
func (b *Backend) checkCalls(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: backend calls NAME N")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), backendLimit)
	defer cancel()
	requests, err := b.Wait(ctx, n)
	if err != nil || len(requests) != n {
		return fmt.Errorf("the backend got %d requests, want %d", len(requests), n)
	}
	return nil
}

func (b *Backend) lastRequest() (Request, error) {
	ctx, cancel := context.WithTimeout(context.Background(), backendLimit)
	defer cancel()
	requests, err := b.Wait(ctx, 1)
	if err != nil {
		return Request{}, err
	}
	return requests[len(requests)-1], nil
}

func (b *Backend) showLast(s *session) error {
	req, err := b.lastRequest()
	if err != nil {
		return err
	}
	s.stdout.WriteString(req.Head() + "\n" + string(req.Body))
	return nil
}

// checkLast compares the last request with `METHOD TARGET [HEADER…] [-body REGEXP]`, where a header is "Name: REGEXP"
// or "!Name" for one that must not be there.
func (b *Backend) checkLast(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: backend expect NAME METHOD TARGET ['HEADER: REGEXP'|!HEADER]… [-body REGEXP]")
	}
	req, err := b.lastRequest()
	if err != nil {
		return err
	}
	if req.Method != args[0] || req.Target != args[1] {
		return fmt.Errorf("the last request is %s %s, want %s %s", req.Method, req.Target, args[0], args[1])
	}
	for args = args[2:]; len(args) > 0; args = args[1:] {
		if args[0] == "-body" {
			if len(args) < 2 {
				return errors.New("-body has no value")
			}
			if err := match("the body", args[1], string(req.Body)); err != nil {
				return err
			}
			args = args[1:]
			continue
		}
		if err := req.checkHeader(args[0]); err != nil {
			return err
		}
	}
	return nil
}

func (r Request) checkHeader(want string) error {
	if name, ok := strings.CutPrefix(want, "!"); ok {
		if values := r.Values(name); len(values) > 0 {
			return fmt.Errorf("the last request has %s: %q", name, values)
		}
		return nil
	}
	name, pattern, _ := strings.Cut(want, ":")
	values := r.Values(name)
	for _, value := range values {
		if match(name, strings.TrimSpace(pattern), value) == nil {
			return nil
		}
	}
	return fmt.Errorf("no header %s of the last request matches: %q in\n%s", want, values, r.Head())
}

func match(what, pattern, text string) error {
	ok, err := regexp.MatchString(pattern, text)
	if err == nil && !ok {
		err = fmt.Errorf("%s does not match %q: %s", what, pattern, text)
	}
	return err
}
