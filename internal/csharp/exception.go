package csharp

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// An Exception is a .NET exception that is thrown inside an expression. As a Go error it is what leaves Program.Run.
type Exception struct {
	Type    *Type      // exact type, for example System.FormatException; never nil for one that left Run
	Message string     // .NET's message text (invariant culture)
	Inner   *Exception // InnerException, or nil
	Param   string     // ParamName of an ArgumentException
	Stack   string     // always empty or a short plain text: there are no .NET stack frames
	// Fields holds further properties by name, such as LineNumber of a JsonReaderException.
	Fields map[string]any
	name   string // full type name until the boundary resolves Type
}

// Error gives "Type: message".
func (e *Exception) Error() string { return e.TypeName() + ": " + e.Message }

// TypeName is the full .NET name of the exception's type, such as "System.FormatException".
func (e *Exception) TypeName() string {
	if e.Type != nil {
		return e.Type.FullName()
	}
	return e.name
}

// IsA tells whether the exception is of the named type (full name) or derives from it.
func (e *Exception) IsA(typeName string) bool {
	for t := e.Type; t != nil; t = t.Base() {
		if t.FullName() == typeName {
			return true
		}
	}
	return e.name == typeName
}

// Throw raises the .NET exception of that full type name; it never returns. Library members call it. The code that
// catches it, either a catch clause or Program.Run, gives it its Type.
func Throw(typeName, message string) {
	panic(&Exception{name: typeName, Message: message})
}

// Throwf is Throw with a formatted message.
func Throwf(typeName, format string, args ...any) { Throw(typeName, fmt.Sprintf(format, args...)) }

// ThrowArgument raises an ArgumentException or a type derived from it with ParamName, whose message .NET extends with
// "(Parameter 'param')".
func ThrowArgument(typeName, message, param string) {
	panic(&Exception{name: typeName, Message: message + " (Parameter '" + param + "')", Param: param})
}

// ThrowActual raises ArgumentOutOfRangeException with the value that was out of range in its message.
func ThrowActual(message, param, actual string) {
	panic(&Exception{name: "System.ArgumentOutOfRangeException", Message: message + " (Parameter '" + param + "')\nActual value was " + actual + ".", Param: param})
}

// ThrowArgumentNull raises ArgumentNullException for the named parameter.
func ThrowArgumentNull(param string) {
	ThrowArgument("System.ArgumentNullException", "Value cannot be null.", param)
}

// ThrowNullReference raises NullReferenceException, what .NET does for a member of null.
func ThrowNullReference() {
	Throw("System.NullReferenceException", "Object reference not set to an instance of an object.")
}

// A LimitError reports that a run exceeded one of its budgets. A catch clause of the expression does not see it.
type LimitError struct {
	Limit string // "steps", "depth", "memory", "time" or "regex time"
}

// Error names the budget.
func (e *LimitError) Error() string { return "expression exceeded its limit of " + e.Limit }

// recovered turns the value of recover() into a .NET exception or a limit error; anything else is a bug and panics again.
func recovered(lib *Library, p any) (*Exception, *LimitError) {
	switch e := p.(type) {
	case *Exception:
		lib.resolveException(e)
		return e, nil
	case *LimitError:
		return nil, e
	case runtime.Error:
		x := fromRuntimeError(e)
		lib.resolveException(x)
		return x, nil
	}
	panic(p)
}

// fromRuntimeError maps a failure of the Go runtime to the exception that .NET throws in the same situation.
func fromRuntimeError(e runtime.Error) *Exception {
	text := e.Error()
	var cast *runtime.TypeAssertionError
	switch {
	case errors.As(e, &cast):
		return &Exception{name: "System.InvalidCastException", Message: "Unable to cast object to the required type."}
	case strings.Contains(text, "nil pointer"), strings.Contains(text, "nil map"):
		return &Exception{name: "System.NullReferenceException", Message: "Object reference not set to an instance of an object."}
	case strings.Contains(text, "divide by zero"):
		return &Exception{name: "System.DivideByZeroException", Message: "Attempted to divide by zero."}
	case strings.Contains(text, "index out of range"), strings.Contains(text, "slice bounds"):
		return &Exception{name: "System.IndexOutOfRangeException", Message: "Index was outside the bounds of the array."}
	}
	// A fault of ours must fail one expression, not the gateway.
	return &Exception{name: "System.InvalidOperationException", Message: "internal error: " + text}
}
