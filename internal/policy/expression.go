package policy

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// expression is a compiled C# expression with what its results may be.
type expression struct {
	program *csharp.Program
	source  string
	rules   *rules
	// isBool and isInt say that the static type needs no conversion.
	isBool, isInt bool
}

func hasExpressionEnd(s string) bool {
	_, ok := csharp.EndOfExpression(s)
	return ok
}

// expression compiles t, which is one expression.
func (k *compilation) expression(c *Compiler, f *field, t text) *expression {
	program, diagnostics := k.catalogue.library.Compile(t.s, csharp.Options{Globals: k.catalogue.globals, Strict: k.options.Strict})
	for _, d := range diagnostics {
		pos := t.source(offsetOf(t.s, d.Line, d.Column))
		if d.Warning {
			k.warnAt(pos, d.Code, "%s", d.Message)
		} else {
			k.errorAt(pos, d.Code, "%s", d.Message)
		}
	}
	k.use |= bodyUse(t.s)
	if program == nil {
		return nil
	}
	e := &expression{program: program, source: t.s, rules: &f.rules}
	if typ := program.Type(); typ != nil {
		switch typ.FullName() {
		case "System.Boolean":
			e.isBool = true
		case "System.Int32", "System.Int64", "System.Int16", "System.Byte":
			e.isInt = true
		}
	}
	return e
}

// offsetOf is the byte offset of a line and a column in characters, both from 1.
func offsetOf(s string, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(s[offset:], '\n')
		if next < 0 {
			break
		}
		offset += next + 1
	}
	for ; column > 1 && offset < len(s); column-- {
		_, size := utf8.DecodeRuneInString(s[offset:])
		offset += size
	}
	return offset
}

var (
	bodyMember   = regexp.MustCompile(`(\w*)\)*\s*\??\.\s*Body\b`)
	bodyOfOthers = regexp.MustCompile(`\bVariables\b|\bIResponse\b`)
)

// bodyUse tells from the text of an expression which bodies it may read. What is not clear counts as both.
func bodyUse(source string) (use BodyUse) {
	for _, m := range bodyMember.FindAllStringSubmatch(source, -1) {
		switch m[1] {
		case "Request":
			use |= UsesRequestBody
		case "Response":
			use |= UsesResponseBody
		default:
			if !bodyOfOthers.MatchString(source) {
				use |= UsesRequestBody | UsesResponseBody
			}
		}
	}
	return use
}

// evaluate runs an expression and converts its result.
func evaluate[T any](x *Exec, e *expression) (T, error) {
	var out T
	if err := e.into(x, &out); err != nil {
		return out, x.expressionError(err)
	}
	if x.Tracer != nil {
		x.Tracer.Step("", "Expression was successfully evaluated.", "expression", e.source, "value", any(out))
	}
	return out, nil
}

// into runs the expression and stores the result, which to points to.
func (e *expression) into(x *Exec, to any) error {
	limits := x.runLimits()
	var err error
	switch to := to.(type) {
	case *string:
		var null bool
		if *to, null, err = e.program.RunString(x, limits); err != nil {
			return err
		}
		if null {
			*to = csharp.Null()
			return nil
		}
		*to, err = e.rules.text(*to)
	case *any:
		*to, err = e.program.Run(x, limits)
	case *[]byte:
		*to, err = e.bytes(x, limits)
	case *bool:
		*to, err = e.bool(x, limits)
	case *int64:
		*to, err = e.int(x, limits)
	case *int:
		var n int64
		n, err = e.int(x, limits)
		*to = int(n)
	case *float64:
		*to, err = e.float(x, limits)
	}
	return err
}

func (e *expression) bytes(x *Exec, limits *csharp.Limits) ([]byte, error) {
	v, err := e.program.Run(x, limits)
	switch v := v.(type) {
	case nil:
		return nil, err
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return []byte(csharp.FormatValue(v)), nil
}

func (e *expression) bool(x *Exec, limits *csharp.Limits) (bool, error) {
	if e.isBool {
		return e.program.RunBool(x, limits)
	}
	v, err := e.program.Run(x, limits)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		return parseBool(v)
	}
	return false, errBool
}

func (e *expression) int(x *Exec, limits *csharp.Limits) (n int64, err error) {
	if e.isInt {
		n, err = e.program.RunInt64(x, limits)
	} else {
		var v any
		if v, err = e.program.Run(x, limits); err == nil {
			n, err = parseInt(strings.TrimSpace(csharp.FormatValue(v)))
		}
	}
	if err != nil {
		return 0, err
	}
	return n, e.rules.number(float64(n))
}

func (e *expression) float(x *Exec, limits *csharp.Limits) (n float64, err error) {
	v, err := e.program.Run(x, limits)
	if err != nil {
		return 0, err
	}
	if n, err = parseFloat(strings.TrimSpace(csharp.FormatValue(v))); err != nil {
		return 0, err
	}
	return n, e.rules.number(n)
}

// expressionError makes the policy error of a failed expression. A failure of the world that an expression ran into, such as a client that goes
// away while its body is read, stays what it is.
func (x *Exec) expressionError(err error) error {
	if cause := x.bodies.failure; cause != nil {
		x.bodies.failure = nil
		return WrapError(cause)
	}
	message := err.Error()
	var exception *csharp.Exception
	if errors.As(err, &exception) {
		message = exception.Message
	}
	return &Error{Reason: ReasonExpression, Message: "Expression evaluation failed. " + message, Err: err}
}
