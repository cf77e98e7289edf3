package policy

// expression is a compiled C# expression.
type expression struct{}

func evaluate[T any](x *Exec, e *expression) (T, error) {
	var zero T
	return zero, nil
}
