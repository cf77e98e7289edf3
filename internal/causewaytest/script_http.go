package causewaytest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// requestLimit is how long a script waits for an answer.
const requestLimit = 60 * time.Second

// httpClient returns a client that hides nothing: no redirects, no decompression, no proxy, any certificate.
func httpClient() *http.Client {
	return &http.Client{
		Timeout: requestLimit,
		Transport: &http.Transport{
			DisableCompression: true, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the local CA is made anew by every test
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// request is a parsed http or arm command.
type request struct {
	method, url string
	header      []Field
	body        string
	checks      []func(response) error
}

// httpCommand is `http METHOD URL [-H 'NAME: VALUE'] [-d TEXT | -f FILE] [-status N] [-body REGEXP] [-header 'NAME: REGEXP']`.
// Negated, no answer may come.
func httpCommand(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	req, err := parseRequest(ts, args)
	if err != nil {
		return err
	}
	resp, err := req.send(context.Background())
	if neg {
		if err == nil {
			return fmt.Errorf("%s %s answers %d", req.method, req.url, resp.status)
		}
		return nil
	}
	if err != nil {
		return err
	}
	s.show(resp)
	return req.check(resp)
}

// armCommand is `arm METHOD PATH [BODYFILE] [flags of http]`: a call of the management API at $PLANE with the token
// $TOKEN; a path that does not start with /subscriptions is below $SERVICE. It expects a status of success; negated,
// one of an error.
func armCommand(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: arm METHOD PATH [BODYFILE] [flags of http]")
	}
	plane := ts.Getenv("PLANE")
	if plane == "" {
		return errors.New("no management plane has been started")
	}
	url := plane + armPath(ts.Getenv("SERVICE"), args[1])
	rest := args[2:]
	send := []string{args[0], url, "-H", "Authorization: Bearer " + ts.Getenv("TOKEN")}
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		send = append(send, "-H", "Content-Type: application/json", "-f", rest[0])
		rest = rest[1:]
	}
	req, err := parseRequest(ts, append(send, rest...))
	if err != nil {
		return err
	}
	resp, err := req.send(context.Background())
	if err != nil {
		return err
	}
	s.show(resp)
	if (resp.status >= 400) != neg {
		return fmt.Errorf("%s %s answers %d: %s", args[0], args[1], resp.status, resp.body)
	}
	return req.check(resp)
}

// armPath completes the path of a management call.
func armPath(service, path string) string {
	if low := strings.ToLower(path); !strings.HasPrefix(low, "/subscriptions/") && !strings.HasPrefix(low, "/providers/") {
		path = service + "/" + strings.TrimPrefix(path, "/")
	}
	if strings.Contains(path, "api-version=") {
		return path
	}
	if strings.Contains(path, "?") {
		return path + "&api-version=" + apiVersion
	}
	return path + "?api-version=" + apiVersion
}

func parseRequest(ts *testscript.TestScript, args []string) (request, error) {
	if len(args) < 2 {
		return request{}, errors.New("method or URL is missing")
	}
	req := request{method: args[0], url: args[1]}
	for args = args[2:]; len(args) > 0; args = args[2:] {
		if len(args) < 2 {
			return request{}, fmt.Errorf("%s has no value", args[0])
		}
		value := args[1]
		switch args[0] {
		case "-H":
			name, text, ok := strings.Cut(value, ":")
			if !ok {
				return request{}, fmt.Errorf("header %q has no colon", value)
			}
			req.header = append(req.header, Field{name, strings.TrimSpace(text)})
		case "-d":
			req.body = value
		case "-f":
			req.body = expand(ts, ts.ReadFile(value))
		case "-status":
			req.checks = append(req.checks, func(r response) error { return r.checkStatus(value, false) })
		case "-header":
			name, pattern, _ := strings.Cut(value, ":")
			req.checks = append(req.checks, func(r response) error { return r.checkHeader(name, strings.TrimSpace(pattern), false) })
		case "-body":
			re, err := regexp.Compile(value)
			if err != nil {
				return request{}, err
			}
			req.checks = append(req.checks, func(r response) error {
				if !re.MatchString(r.body) {
					return fmt.Errorf("the body does not match %q: %s", value, r.body)
				}
				return nil
			})
		default:
			return request{}, fmt.Errorf("unknown flag %s", args[0])
		}
	}
	return req, nil
}

func (q request) send(ctx context.Context) (response, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, q.url, bytes.NewReader([]byte(q.body)))
	if err != nil {
		return response{}, err
	}
	req.Header["User-Agent"] = nil // none unless the script sends one
	for _, f := range q.header {
		if strings.EqualFold(f.Name, "Host") {
			req.Host = f.Value
			continue
		}
		req.Header[f.Name] = append(req.Header[f.Name], f.Value)
	}
	resp, err := httpClient().Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return response{}, fmt.Errorf("reading the answer of %s: %w", q.url, err)
	}
	r := response{status: resp.StatusCode, proto: resp.Proto, body: string(body)}
	for name, values := range resp.Header {
		for _, value := range values {
			r.header = append(r.header, Field{name, value})
		}
	}
	return r, nil
}

func (q request) check(r response) error {
	for _, check := range q.checks {
		if err := check(r); err != nil {
			return fmt.Errorf("%s %s: %w", q.method, q.url, err)
		}
	}
	return nil
}

// show makes an answer the last one and the script's output.
func (s *session) show(r response) {
	s.last = &r
	s.stdout.Reset()
	s.stderr.Reset()
	s.stdout.WriteString(r.body)
	fmt.Fprintf(&s.stderr, "%s %d\n", r.proto, r.status)
	for _, f := range r.header {
		fmt.Fprintf(&s.stderr, "%s: %s\n", f.Name, f.Value)
	}
}

func (r response) checkStatus(want string, neg bool) error {
	if (strconv.Itoa(r.status) == want) == neg {
		return fmt.Errorf("status %d, want %s: %s", r.status, want, r.body)
	}
	return nil
}

// checkHeader wants a line of the header whose value matches; negated, none.
func (r response) checkHeader(name, pattern string, neg bool) error {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	for _, f := range r.header {
		if strings.EqualFold(f.Name, name) && re.MatchString(f.Value) {
			if neg {
				return fmt.Errorf("there is a header %s: %s", f.Name, f.Value)
			}
			return nil
		}
	}
	if neg {
		return nil
	}
	return fmt.Errorf("no header %s matches %q: %v", name, pattern, r.header)
}

func (s *session) lastResponse() (response, error) {
	if s.last == nil {
		return response{}, errors.New("nothing has been answered yet")
	}
	return *s.last, nil
}

// statusCommand is `status N`: the status of the last answer.
func statusCommand(s *session, _ *testscript.TestScript, neg bool, args []string) error {
	r, err := s.lastResponse()
	if err != nil {
		return err
	}
	if len(args) != 1 {
		return errors.New("usage: status N")
	}
	return r.checkStatus(args[0], neg)
}

// headerCommand is `header NAME [REGEXP]`: a header of the last answer.
func headerCommand(s *session, _ *testscript.TestScript, neg bool, args []string) error {
	r, err := s.lastResponse()
	if err != nil {
		return err
	}
	switch len(args) {
	case 1:
		return r.checkHeader(args[0], "", neg)
	case 2:
		return r.checkHeader(args[0], args[1], neg)
	}
	return errors.New("usage: header NAME [REGEXP]")
}

// jsonGet is `json-get PATH VALUE`: the value of the last answer's JSON at a path; negated, another one or none. The
// path's words are separated by dots; a number is an index, # the length of a list.
func jsonGet(s *session, _ *testscript.TestScript, neg bool, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: json-get PATH VALUE")
	}
	r, err := s.lastResponse()
	if err != nil {
		return err
	}
	got, err := jsonAt(r.body, args[0])
	if neg {
		if err == nil && got == args[1] {
			return fmt.Errorf("%s is %q", args[0], got)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if got != args[1] {
		return fmt.Errorf("%s is %q, want %q", args[0], got, args[1])
	}
	return nil
}

// jsonEnv is `json-env VARIABLE PATH`: it keeps a value of the last answer's JSON.
func jsonEnv(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	if neg {
		return errNegated
	}
	if len(args) != 2 {
		return errors.New("usage: json-env VARIABLE PATH")
	}
	r, err := s.lastResponse()
	if err != nil {
		return err
	}
	value, err := jsonAt(r.body, args[1])
	if err != nil {
		return err
	}
	ts.Setenv(args[0], value)
	return nil
}

// headerEnv is `header-env VARIABLE NAME`: it keeps a header of the last answer.
func headerEnv(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	if neg {
		return errNegated
	}
	if len(args) != 2 {
		return errors.New("usage: header-env VARIABLE NAME")
	}
	r, err := s.lastResponse()
	if err != nil {
		return err
	}
	for _, f := range r.header {
		if strings.EqualFold(f.Name, args[1]) {
			ts.Setenv(args[0], f.Value)
			return nil
		}
	}
	return fmt.Errorf("there is no header %s: %v", args[1], r.header)
}

// jsonAt returns the value at a path: strings as they are, everything else as JSON.
func jsonAt(text, path string) (string, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return "", fmt.Errorf("the last answer is no JSON: %w", err)
	}
	for word := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[word]
			if !ok {
				return "", fmt.Errorf("there is no %q on the way of %s in %s", word, path, text)
			}
			value = next
		case []any:
			if word == "#" {
				value = json.Number(strconv.Itoa(len(v)))
				continue
			}
			i, err := strconv.Atoi(word)
			if err != nil || i < 0 || i >= len(v) {
				return "", fmt.Errorf("%q is no index of a list of %d on the way of %s", word, len(v), path)
			}
			value = v[i]
		default:
			return "", fmt.Errorf("there is nothing below %q on the way of %s in %s", word, path, text)
		}
	}
	if s, ok := value.(string); ok {
		return s, nil
	}
	data, err := json.Marshal(value)
	return string(data), err
}
