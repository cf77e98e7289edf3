package liquid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxJSONDepth is how deep a document may be nested.
const maxJSONDepth = 256

// FromJSON reads a JSON document as values of templates. With dates, texts that look like a time, as in "2012-03-21T05:40Z" or
// "/Date(1198908717056)/", become one.
func FromJSON(data []byte, dates bool) (any, error) {
	d := &decoder{Decoder: json.NewDecoder(bytes.NewReader(data)), dates: dates}
	d.UseNumber()
	v, err := d.value(0)
	if err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("reading JSON: something follows the document")
	}
	return v, nil
}

type decoder struct {
	*json.Decoder
	dates bool
}

func (d *decoder) value(depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	return d.rest(t, depth)
}

// rest reads the value that begins with a token.
func (d *decoder) rest(t json.Token, depth int) (any, error) {
	switch t := t.(type) {
	case json.Number:
		return jsonNumber(t), nil
	case string:
		return d.text(t), nil
	case json.Delim:
		if depth == maxJSONDepth {
			return nil, fmt.Errorf("it is nested deeper than %d", maxJSONDepth)
		}
		if t == '{' {
			return d.object(depth + 1)
		}
		return d.array(depth + 1)
	}
	return t, nil // null, true, false
}

func (d *decoder) object(depth int) (any, error) {
	m := &Map{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		m.Set(name.(string), v)
	}
	_, err := d.Token()
	return m, err
}

func (d *decoder) array(depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func jsonNumber(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	if f, err := n.Float64(); err == nil {
		return f
	}
	return n.String()
}

// text is a text, or the time that it looks like.
func (d *decoder) text(s string) any {
	if !d.dates {
		return s
	}
	if ms, ok := strings.CutPrefix(s, "/Date("); ok && strings.HasSuffix(ms, ")/") {
		ms = strings.TrimSuffix(ms, ")/")
		if zone := strings.LastIndexAny(ms, "+-"); zone > 0 {
			ms = ms[:zone]
		}
		if n, err := strconv.ParseInt(ms, 10, 64); err == nil {
			return time.UnixMilli(n).UTC()
		}
		return s
	}
	if len(s) < len("2006-01-02T15:04") || len(s) > 40 || s[4] != '-' || s[10] != 'T' {
		return s
	}
	for _, layout := range dateLayouts()[:4] {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return s
}
