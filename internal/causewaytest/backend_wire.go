package causewaytest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
)

// readRequest reads one request. Its method is empty when there was none; an error with a method means that the
// request is not complete.
func readRequest(r *bufio.Reader, w io.Writer) (Request, error) {
	line, err := readLine(r)
	if err != nil {
		return Request{}, err
	}
	words := strings.SplitN(line, " ", 3)
	if len(words) != 3 {
		return Request{Method: line}, fmt.Errorf("a request line of %d words", len(words))
	}
	req := Request{Method: words[0], Target: words[1], Proto: words[2]}
	if req.Header, err = readFields(r); err != nil {
		return req, err
	}
	if slices.Contains(req.Values("Expect"), "100-continue") {
		if _, err := io.WriteString(w, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return req, err
		}
	}
	if slices.ContainsFunc(req.Values("Transfer-Encoding"), func(v string) bool { return strings.EqualFold(v, "chunked") }) {
		if req.Body, err = io.ReadAll(httputil.NewChunkedReader(r)); err != nil {
			return req, err
		}
		req.Trailer, err = readFields(r)
		return req, err
	}
	if lengths := req.Values("Content-Length"); len(lengths) > 0 {
		n, err := strconv.ParseInt(lengths[0], 10, 32)
		if err != nil || n < 0 {
			return req, fmt.Errorf("a content length of %q", lengths[0])
		}
		req.Body = make([]byte, n)
		read, err := io.ReadFull(r, req.Body)
		req.Body = req.Body[:read]
		return req, err
	}
	return req, nil
}

// readFields reads header or trailer lines up to the empty line. The value's surrounding blanks are left out.
func readFields(r *bufio.Reader) ([]Field, error) {
	var fields []Field
	for {
		line, err := readLine(r)
		if err != nil {
			return fields, err
		}
		if line == "" {
			return fields, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return fields, fmt.Errorf("a header line without a colon: %q", line)
		}
		fields = append(fields, Field{name, strings.Trim(value, " \t")})
	}
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// write sends an answer.
func (b *Backend) write(w io.Writer, req Request, a Answer) error {
	if err := b.pause(a.Delay); err != nil {
		return err
	}
	if a.Cut == CutBeforeHead {
		return errors.New("cut before the head")
	}
	for _, status := range a.Early {
		if _, err := fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n\r\n", status, http.StatusText(status)); err != nil {
			return err
		}
	}
	if a.Echo {
		a.Body, a.Chunks = req.Head()+"\n"+string(req.Body), nil
	}
	if _, err := w.Write(a.head()); err != nil {
		return err
	}
	if req.Method == http.MethodHead || !a.hasBody() {
		return nil
	}
	if a.Chunks != nil {
		return b.writeChunks(w, a)
	}
	if a.Cut == CutInBody {
		a.Body = a.Body[:len(a.Body)/2]
	}
	_, err := io.WriteString(w, a.Body)
	return err
}

func (a Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

func (a Answer) hasBody() bool {
	return a.status() >= 200 && a.status() != http.StatusNoContent && a.status() != http.StatusNotModified
}

// head returns the status line and the header. The length or the coding is added unless the answer states one.
func (a Answer) head() []byte {
	reason := a.Reason
	if reason == "" {
		reason = http.StatusText(a.status())
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.status(), reason)
	framed := false
	for _, f := range a.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
		framed = framed || strings.EqualFold(f.Name, "Content-Length") || strings.EqualFold(f.Name, "Transfer-Encoding")
	}
	switch {
	case framed || !a.hasBody():
	case a.Chunks != nil:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.Body))
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// writeChunks sends each chunk on its own, so that a reader sees it before the next one is due.
func (b *Backend) writeChunks(w io.Writer, a Answer) error {
	for i, chunk := range a.Chunks {
		if i > 0 {
			if err := b.pause(a.ChunkDelay); err != nil {
				return err
			}
		}
		if chunk == "" {
			continue // an empty chunk would end the body
		}
		if _, err := fmt.Fprintf(w, "%x\r\n%s\r\n", len(chunk), chunk); err != nil {
			return err
		}
	}
	if a.Cut == CutInBody {
		return nil
	}
	var end bytes.Buffer
	end.WriteString("0\r\n")
	for _, f := range a.Trailer {
		fmt.Fprintf(&end, "%s: %s\r\n", f.Name, f.Value)
	}
	end.WriteString("\r\n")
	_, err := w.Write(end.Bytes())
	return err
}
