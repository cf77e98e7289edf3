// Package csharp compiles the policy expression language, C# 7.3 in `@( )` and `@{ }`, to typed Go closures.
//
// The way of a text: scan, parse (syntax tree), then bind: one walk that resolves names and overloads, checks types and
// definite assignment and emits code. An operand of the binder carries its static type and its code together, so there is
// no second tree to keep in step. Code is a closure typed by representation: integers, char and enums are
// func(*Frame) int64, float and double func(*Frame) float64, bool func(*Frame) bool, strings func(*Frame) string
// (see Null) and everything else func(*Frame) any.
//
// Values outside an expression (host argument, results, context.Variables) have one Go form for each .NET type:
//
//	bool, char, string              bool, Char, string (null: nil)
//	sbyte short int long            int8 int16 int32 int64
//	byte ushort uint ulong          uint8 uint16 uint32 uint64
//	float double decimal            float32 float64 Decimal
//	enums                           Enum
//	T?                              nil or the form of T
//	byte[]                          []byte
//	other arrays                    *Array
//	Func, Action, … (delegates)     *Delegate
//	anonymous types, value tuples   *Record
//	exceptions                      *Exception
//	System.Type                     *Type
//	classes and structs of the .NET library: the Go type of package clr with the same name (*clr.JObject, clr.DateTime, …)
//
// A C# string is a Go string in WTF-8: UTF-8 that may also hold lone surrogates.
package csharp

import "fmt"

// A Global is a name that is visible to an expression without declaration.
type Global struct {
	Name string
	Type *Type
	// Get takes the global's value from the host argument of Run; nil means the host argument itself.
	Get func(host any) any
}

// Options of one compilation.
type Options struct {
	Globals []Global // for example {Name: "context", Type: contextType}
	Target  *Type    // required static type of the result after implicit conversion; nil: object
	Line    int      // line of the first character of the source in its document, 1-based; 0 means 1
	Column  int      // its column in characters, 1-based; 0 means 1
	Strict  bool     // members outside the published allow-list are errors instead of warnings
}

// OutsideAllowList is the code of the diagnostic for a member that is not in the published table of types and members
// that policy expressions may use.
const OutsideAllowList = "outside-allow-list"

// A Diagnostic is one finding of a compilation.
type Diagnostic struct {
	Line, Column int    // 1-based, in the document (Options.Line and Options.Column)
	Code         string // C# compiler code such as CS0103, or OutsideAllowList
	Message      string // plain sentence without position
	Warning      bool   // true when the expression compiles all the same
}

// String formats the diagnostic as "line:column: code: message".
func (d Diagnostic) String() string {
	return fmt.Sprintf("%d:%d: %s: %s", d.Line, d.Column, d.Code, d.Message)
}
