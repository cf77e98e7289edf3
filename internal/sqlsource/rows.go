package sqlsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// errEnough says that no more rows are wanted.
var errEnough = errors.New("no more rows are wanted")

// writer makes JSON of rows: {"items":[…]}, or one object or null.
type writer struct {
	single            bool
	maxRows, maxBytes int

	columns []string
	names   [][]byte // as JSON; nil for a column whose name came before
	buf     bytes.Buffer
	rows    int
}

// reset begins another result: only the last one counts.
func (w *writer) reset(columns []string) {
	w.columns, w.names, w.rows = columns, make([][]byte, len(columns)), 0
	for i, c := range columns {
		if !slices.Contains(columns[:i], c) {
			w.names[i] = quoted(c)
		}
	}
	w.buf.Reset()
	if !w.single {
		w.buf.WriteString(`{"items":[`)
	}
}

// row writes a row; value appends the JSON of a column. It returns errEnough for the second row of a single result.
func (w *writer) row(value func(dst []byte, column int) ([]byte, error)) error {
	if w.single && w.rows == 1 {
		return errEnough
	}
	if w.rows == w.maxRows {
		return fmt.Errorf("the result has more than %d rows", w.maxRows)
	}
	if w.rows++; w.rows > 1 {
		w.buf.WriteByte(',')
	}
	separator := byte('{')
	for i, name := range w.names {
		if name == nil {
			continue
		}
		w.buf.WriteByte(separator)
		w.buf.Write(name)
		w.buf.WriteByte(':')
		separator = ','
		text, err := value(w.buf.AvailableBuffer(), i)
		if err != nil {
			return fmt.Errorf("read the column %s: %w", w.columns[i], err)
		}
		w.buf.Write(text)
		if w.buf.Len() > w.maxBytes {
			return fmt.Errorf("the result has more than %d bytes", w.maxBytes)
		}
	}
	if separator == '{' {
		w.buf.WriteByte('{')
	}
	w.buf.WriteByte('}')
	return nil
}

func (w *writer) bytes() []byte {
	if !w.single {
		w.buf.WriteString("]}")
	} else if w.rows == 0 {
		return []byte("null")
	}
	return w.buf.Bytes()
}

// quoted is a text as JSON, as it is: HTML's characters are not escaped.
func quoted(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// number appends a number that a database wrote; NaN and infinity, which JSON has not, are texts.
func number(dst []byte, s string) []byte {
	if json.Valid([]byte(s)) {
		return append(dst, s...)
	}
	return append(dst, quoted(s)...)
}
