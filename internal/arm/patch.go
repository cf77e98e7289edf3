package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxJSONDepth is how deep a request's JSON may be nested.
const MaxJSONDepth = 64

// CheckJSON reports whether data is one JSON value that is nested at most [MaxJSONDepth] deep. Its error is an [Error]
// with line and column.
func CheckJSON(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return Errorf(CodeInvalidJSON, "The request's body is empty; a JSON object is expected.")
	}
	if depth, offset := jsonDepth(data); depth > MaxJSONDepth {
		line, column := position(data, offset)
		return Errorf(CodeInvalidJSON, "The request's body is nested more than %d levels deep at line %d, column %d.", MaxJSONDepth, line, column)
	}
	if json.Valid(data) {
		return nil
	}
	var v json.RawMessage
	err := json.Unmarshal(data, &v)
	offset := len(data)
	if se, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = int(se.Offset)
	}
	line, column := position(data, offset)
	return Errorf(CodeInvalidJSON, "The request's body is not JSON: %s at line %d, column %d.", err, line, column)
}

// jsonDepth returns the deepest nesting and where it begins. It looks at brackets outside strings only, so it is right
// for JSON and harmless for anything else.
func jsonDepth(data []byte) (deepest, offset int) {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > deepest {
				deepest, offset = depth, i+1
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest, offset
}

func position(data []byte, offset int) (line, column int) {
	before := data[:min(offset, len(data))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n') - 1
}

// MergePatch applies a JSON merge patch (RFC 7396) to target and returns the result in compact form, members in
// alphabetical order. An empty target counts as an empty object. Numbers keep their digits.
func MergePatch(target, patch []byte) ([]byte, error) {
	p, err := decodeAny(patch)
	if err != nil {
		return nil, fmt.Errorf("merge patch: %w", err)
	}
	var t any = map[string]any{}
	if len(target) > 0 {
		if t, err = decodeAny(target); err != nil {
			return nil, fmt.Errorf("merge patch target: %w", err)
		}
	}
	return json.Marshal(mergeAny(t, p))
}

func decodeAny(data []byte) (v any, err error) {
	if err := CheckJSON(data); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func mergeAny(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	for k, v := range p {
		if v == nil {
			delete(t, k)
		} else {
			t[k] = mergeAny(t[k], v)
		}
	}
	return t
}
