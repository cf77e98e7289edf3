package graphql

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Error is one member of the errors of an answer (specification, 7.1.2).
type Error struct {
	Message   string     `json:"message"`
	Locations []Location `json:"locations,omitempty"`
	// Path leads to the field in the data: names (string) and positions in lists (int). nil for a request error.
	Path       []any          `json:"path,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

// Location is a place in the text of a request, both numbers from 1.
type Location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Errors are request errors: with one of them nothing is executed.
type Errors []*Error

// Error is the first message.
func (e Errors) Error() string { return e[0].Message }

// Body is the answer that consists of errors only.
func (e Errors) Body() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // messages quote the request
	if err := enc.Encode(struct {
		Errors Errors `json:"errors"`
	}{e}); err != nil { // extensions of another service are JSON already: nothing else can fail
		return []byte(`{"errors":[{"message":"The errors cannot be written."}]}`)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// requestErrors turns errors of the parser into ours.
func requestErrors(err error) Errors {
	if own, ok := errors.AsType[Errors](err); ok {
		return own
	}
	var list gqlerror.List
	if !errors.As(err, &list) {
		var one *gqlerror.Error
		if !errors.As(err, &one) {
			return Errors{{Message: err.Error()}}
		}
		list = gqlerror.List{one}
	}
	out := make(Errors, 0, min(len(list), maxErrors))
	for _, e := range list {
		if len(out) == maxErrors {
			break
		}
		own := &Error{Message: e.Message}
		for _, l := range e.Locations {
			own.Locations = append(own.Locations, Location{l.Line, l.Column})
		}
		out = append(out, own)
	}
	return out
}

func locationOf(p *ast.Position) []Location {
	if p == nil {
		return nil
	}
	return []Location{{p.Line, p.Column}}
}

// comparePaths orders errors by the places of their fields, so that answers do not depend on who was faster.
func comparePaths(a, b *Error) int {
	return slices.CompareFunc(a.Path, b.Path, func(x, y any) int {
		i, iok := x.(int)
		j, jok := y.(int)
		switch {
		case iok && jok:
			return i - j
		case iok:
			return -1
		case jok:
			return 1
		}
		s, _ := x.(string)
		t, _ := y.(string)
		switch {
		case s < t:
			return -1
		case s > t:
			return 1
		}
		return 0
	})
}
