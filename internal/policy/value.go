package policy

// Value is a field of a policy: a constant of the document or a compiled expression. T is string, bool, int, int64, float64, []byte or any.
// The zero Value is one that the document does not have.
type Value[T any] struct {
	constant T
	expr     *expression
	set      bool
}

// Const returns a constant.
func Const[T any](v T) Value[T] { return Value[T]{constant: v, set: true} }

// IsSet says whether the document has the attribute, element or text, or whether it has a default.
func (v Value[T]) IsSet() bool { return v.set }

// Constant returns the value when it does not depend on the request.
func (v Value[T]) Constant() (constant T, ok bool) { return v.constant, v.set && v.expr == nil }

// Get returns the value for a request. A value that is not set is the zero T. The C# null is "" for strings (csharp.IsNull tells it
// apart) and nil for []byte and any. An exception or a result that cannot become a T is an *Error with ReasonExpression.
func (v Value[T]) Get(x *Exec) (T, error) {
	if v.expr == nil {
		return v.constant, nil
	}
	return evaluate[T](x, v.expr)
}
