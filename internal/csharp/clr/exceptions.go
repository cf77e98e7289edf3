package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

type exception = *csharp.Exception

func declareExceptions(b *csharp.Builder) {
	e := b.Type("class System.Exception", csharp.NoGo())
	e.Prop("string Message", csharp.F1(func(x exception) string { return x.Message }))
	e.Prop("Exception InnerException", csharp.F1(func(x exception) exception { return x.Inner }))
	e.Prop("string StackTrace", csharp.F1(func(x exception) string {
		if x.Stack == "" {
			return csharp.Null()
		}
		return x.Stack
	}))
	e.Prop("string Source", csharp.F1(func(x exception) string { return csharp.Null() }))
	e.Prop("int HResult", csharp.F1(func(exception) int { return -2146233088 }))
	e.Method("Exception GetBaseException()", csharp.F1(func(x exception) exception {
		for x.Inner != nil {
			x = x.Inner
		}
		return x
	}))
	exceptionCtors(e, "")
	declareAggregate(b)
	for _, d := range exceptionTypes {
		name, base, _ := strings.Cut(d.decl, " : ")
		t := b.Type("class "+name+" : "+base, csharp.NoGo())
		switch {
		case name == "System.ArgumentException":
			t.Prop("string ParamName", csharp.F1(func(x exception) string {
				if x.Param == "" {
					return csharp.Null()
				}
				return x.Param
			}))
			exceptionCtors(t, d.message)
			t.New("(string message, string paramName)", csharp.F3(func(t resultType, m, p string) exception { return argumentException(t, m, p) }))
		case strings.HasPrefix(name, "System.Argument"):
			t.New("()", csharp.F1(func(t resultType) exception { return &csharp.Exception{Type: t.Type, Message: d.message} }))
			t.New("(string paramName)", csharp.F2(func(t resultType, p string) exception { return argumentException(t, d.message, p) }))
			if name == "System.ArgumentOutOfRangeException" {
				t.New("(string paramName, object actualValue, string message)", csharp.F4(func(t resultType, p string, v any, m string) exception {
					x := argumentException(t, m, p)
					if v != nil {
						x.Message += "\nActual value was " + text(v) + "."
					}
					return x
				}))
			}
			t.New("(string paramName, string message)", csharp.F3(func(t resultType, p, m string) exception { return argumentException(t, m, p) }))
		default:
			exceptionCtors(t, d.message)
		}
	}
}

// declareAggregate declares AggregateException, whose message lists those of its parts.
func declareAggregate(b *csharp.Builder) {
	t := b.Type("class System.AggregateException : System.Exception", csharp.NoGo())
	t.New("(params Exception[] innerExceptions)", csharp.F2(func(t resultType, list array) exception {
		return aggregate(t, "One or more errors occurred.", list.Items)
	}))
	t.New("(string message, params Exception[] innerExceptions)", csharp.F3(func(t resultType, m string, list array) exception {
		return aggregate(t, m, list.Items)
	}))
}

func aggregate(t resultType, message string, list []any) exception {
	x := &csharp.Exception{Type: t.Type, Message: message}
	for i, v := range list {
		inner, ok := v.(exception)
		if !ok {
			csharp.ThrowArgument("System.ArgumentException", "An element of innerExceptions was null.", "innerExceptions")
		}
		if i == 0 {
			x.Inner = inner
		}
		x.Message += " (" + inner.Message + ")"
	}
	return x
}

func argumentException(t resultType, message, param string) exception {
	x := &csharp.Exception{Type: t.Type, Message: message}
	if !csharp.IsNull(param) && param != "" {
		x.Param = param
		x.Message += " (Parameter '" + param + "')"
	}
	return x
}

// exceptionCtors declares the three usual constructors; without a default message .NET names the type.
func exceptionCtors(t *csharp.TypeBuilder, message string) {
	make1 := func(t resultType, m string, inner exception) exception {
		if csharp.IsNull(m) {
			m = message
			if m == "" {
				m = "Exception of type '" + t.FullName() + "' was thrown."
			}
		}
		return &csharp.Exception{Type: t.Type, Message: m, Inner: inner}
	}
	t.New("()", csharp.F1(func(t resultType) exception { return make1(t, csharp.Null(), nil) }))
	t.New("(string message)", csharp.F2(func(t resultType, m string) exception { return make1(t, m, nil) }))
	t.New("(string message, Exception innerException)", csharp.F3(make1))
}

// exceptionTypes are the exceptions that the library throws or that real policies name, with their default messages.
var exceptionTypes = []struct{ decl, message string }{
	{"System.SystemException : System.Exception", "System error."},
	{"System.ApplicationException : System.Exception", "Error in the application."},
	{"System.ArgumentException : System.SystemException", "Value does not fall within the expected range."},
	{"System.ArgumentNullException : System.ArgumentException", "Value cannot be null."},
	{"System.ArgumentOutOfRangeException : System.ArgumentException", "Specified argument was out of the range of valid values."},
	{"System.FormatException : System.SystemException", "One of the identified items was in an invalid format."},
	{"System.ArithmeticException : System.SystemException", "Overflow or underflow in the arithmetic operation."},
	{"System.OverflowException : System.ArithmeticException", "Arithmetic operation resulted in an overflow."},
	{"System.DivideByZeroException : System.ArithmeticException", "Attempted to divide by zero."},
	{"System.InvalidOperationException : System.SystemException", "Operation is not valid due to the current state of the object."},
	{"System.ObjectDisposedException : System.InvalidOperationException", "Cannot access a disposed object."},
	{"System.InvalidCastException : System.SystemException", "Specified cast is not valid."},
	{"System.NullReferenceException : System.SystemException", "Object reference not set to an instance of an object."},
	{"System.IndexOutOfRangeException : System.SystemException", "Index was outside the bounds of the array."},
	{"System.NotSupportedException : System.SystemException", "Specified method is not supported."},
	{"System.NotImplementedException : System.SystemException", "The method or operation is not implemented."},
	{"System.TimeoutException : System.SystemException", "The operation has timed out."},
	{"System.UnauthorizedAccessException : System.SystemException", "Attempted to perform an unauthorized operation."},
	{"System.RankException : System.SystemException", "Attempted to operate on an array with the incorrect number of dimensions."},
	{"System.ArrayTypeMismatchException : System.SystemException", "Attempted to access an element as a type incompatible with the array."},
	{"System.TimeZoneNotFoundException : System.Exception", ""},
	{"System.InvalidTimeZoneException : System.Exception", ""},
	{"System.UriFormatException : System.FormatException", "One of the identified items was in an invalid format."},
	{"System.Collections.Generic.KeyNotFoundException : System.SystemException", "The given key was not present in the dictionary."},
	{"System.IO.IOException : System.SystemException", "I/O error occurred."},
	{"System.IO.InvalidDataException : System.SystemException", "Found invalid data while decoding."},
	{"System.Text.DecoderFallbackException : System.ArgumentException", ""},
	{"System.Text.RegularExpressions.RegexMatchTimeoutException : System.TimeoutException", "The Regex engine has timed out while trying to match a pattern to an input string."},
	{"System.Text.RegularExpressions.RegexParseException : System.ArgumentException", ""},
	{"System.Security.Cryptography.CryptographicException : System.SystemException", "Error occurred during a cryptographic operation."},
	{"System.Net.WebException : System.InvalidOperationException", ""},
	{"System.Xml.XmlException : System.SystemException", "An XML error has occurred."},
	{"System.Xml.XPath.XPathException : System.SystemException", ""},
	{"Microsoft.CSharp.RuntimeBinder.RuntimeBinderException : System.Exception", ""},
	{"Newtonsoft.Json.JsonException : System.Exception", ""},
	{"Newtonsoft.Json.JsonReaderException : Newtonsoft.Json.JsonException", ""},
	{"Newtonsoft.Json.JsonWriterException : Newtonsoft.Json.JsonException", ""},
	{"Newtonsoft.Json.JsonSerializationException : Newtonsoft.Json.JsonException", ""},
}
