package policy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// expression is a compiled C# expression with what its results may be. Without a program it is a value with an unknown named value.
type expression struct {
	program *csharp.Program
	source  string
	rules   *rules
	// typed says that the static type is the one of the field, so that results need no conversion.
	typed bool
	// secret says that a secret named value stands in the expression.
	secret bool
}

// targets are the C# types of fields. Expressions that convert to them implicitly run without boxing.
type targets struct{ string, bool, long, double *csharp.Type }

func newTargets(lib *csharp.Library) targets {
	return targets{lib.MustType("string"), lib.MustType("bool"), lib.MustType("long"), lib.MustType("double")}
}

// of is the C# type for a field's Go type, whose value to points to; nil for object.
func (t *targets) of(to any) *csharp.Type {
	switch to.(type) {
	case *string:
		return t.string
	case *bool:
		return t.bool
	case *int, *int64:
		return t.long
	case *float64:
		return t.double
	}
	return nil
}

func hasExpressionEnd(s string) bool {
	_, ok := csharp.EndOfExpression(s)
	return ok
}

// expression compiles t, which is one expression at a place for messages, for a field of the C# type target. An expression of another type is converted when it runs.
func (k *compilation) expression(where string, f *field, t text, target *csharp.Type) *expression {
	options := csharp.Options{Globals: k.catalogue.globals, Strict: k.options.Strict, Target: target}
	program, diagnostics := k.compileSafely(t.s, options)
	typed := program != nil && target != nil
	if program == nil && target != nil {
		options.Target = nil
		program, diagnostics = k.compileSafely(t.s, options)
	}
	for _, d := range diagnostics {
		pos := t.source(offsetOf(t.s, d.Line, d.Column))
		if d.Warning {
			k.warnAt(pos, d.Code, "%s", d.Message)
		} else {
			k.errorAt(pos, d.Code, "%s (in %s)", d.Message, where)
		}
	}
	k.uses(bodyUse(t.s))
	if program == nil {
		return nil
	}
	return &expression{program: program, source: k.written, rules: &f.rules, typed: typed, secret: k.secret}
}

// compileSafely makes a diagnostic of a bug in the compiler of expressions: a document that meets one is refused, and takes no gateway down.
func (k *compilation) compileSafely(source string, o csharp.Options) (program *csharp.Program, diagnostics []csharp.Diagnostic) {
	defer func() {
		if bug := recover(); bug != nil {
			program = nil
			diagnostics = []csharp.Diagnostic{{Line: 1, Column: 1, Code: CodeInternal, Message: fmt.Sprintf("the compiler of expressions failed: %v", bug)}}
		}
	}()
	return k.catalogue.library.Compile(source, o)
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

// evaluate runs an expression and converts its result. The result stays on the stack: nothing but a switch sees its address.
func evaluate[T any](x *Exec, e *expression) (out T, err error) {
	if e.program == nil {
		return out, &Error{Message: "The value " + e.source + " has a named value that is not known."}
	}
	limits := x.runLimits()
	switch to := any(&out).(type) {
	case *string:
		*to, err = e.string(x, limits)
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
	if err != nil {
		return out, x.expressionError(err)
	}
	if x.Tracer != nil {
		x.traceExpression(e, out)
	}
	return out, nil
}

func (e *expression) string(x *Exec, limits *csharp.Limits) (string, error) {
	s, null, err := e.program.RunString(x, limits)
	switch {
	case err != nil:
		return "", err
	case null:
		return csharp.Null(), nil
	}
	return e.rules.text(s)
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
	if e.typed {
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
	if e.typed {
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
	if e.typed {
		n, err = e.program.RunFloat64(x, limits)
	} else {
		var v any
		if v, err = e.program.Run(x, limits); err == nil {
			n, err = parseFloat(strings.TrimSpace(csharp.FormatValue(v)))
		}
	}
	if err != nil {
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
