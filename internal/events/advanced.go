package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// AdvancedFilter compares one field of an event (https://learn.microsoft.com/azure/event-grid/event-filtering#advanced-filtering).
type AdvancedFilter struct {
	Operator string          `json:"operatorType"`
	Key      string          `json:"key"`
	Value    json.RawMessage `json:"value,omitempty"`
	Values   json.RawMessage `json:"values,omitempty"`

	test   func(v any) bool // of one value
	negate bool             // holds when no value passes the test, also when there is none
	absent bool             // IsNullOrUndefined and IsNotNull: looks at the field itself
}

// compile makes the test and returns how many values it has.
func (f *AdvancedFilter) compile() (values int, err error) {
	if f.Key == "" || len(f.Key) > maxFilterKey {
		return 0, fmt.Errorf("key is required and has at most %d characters", maxFilterKey)
	}
	name, not := f.Operator, false
	if i := strings.Index(name, "Not"); i > 0 && !strings.HasPrefix(name, "Is") {
		name, not = name[:i]+name[i+len("Not"):], true
	}
	f.negate = not
	switch {
	case f.Operator == "IsNullOrUndefined", f.Operator == "IsNotNull":
		f.absent, f.negate = true, f.Operator == "IsNullOrUndefined"
		f.test = func(v any) bool { return v != nil }
		return 1, nil
	case f.Operator == "BoolEquals":
		var want bool
		if json.Unmarshal(f.Value, &want) != nil {
			return 0, errors.New("value must be true or false")
		}
		f.test = func(v any) bool { have, ok := v.(bool); return ok && have == want }
		return 1, nil
	case name == "NumberInRange":
		return f.compileRanges()
	case strings.HasPrefix(name, "Number"):
		return f.compileNumbers(name)
	case strings.HasPrefix(name, "String"):
		return f.compileStrings(name)
	}
	return 0, fmt.Errorf("%.40q is no operatorType", f.Operator)
}

func (f *AdvancedFilter) compileNumbers(name string) (int, error) {
	var wanted []float64
	holds := map[string]func(have, want float64) bool{
		"NumberIn":                  func(have, want float64) bool { return have == want },
		"NumberLessThan":            func(have, want float64) bool { return have < want },
		"NumberGreaterThan":         func(have, want float64) bool { return have > want },
		"NumberLessThanOrEquals":    func(have, want float64) bool { return have <= want },
		"NumberGreaterThanOrEquals": func(have, want float64) bool { return have >= want },
	}[name]
	if holds == nil || f.negate && name != "NumberIn" {
		return 0, fmt.Errorf("%.40q is no operatorType", f.Operator)
	}
	if name == "NumberIn" {
		if json.Unmarshal(f.Values, &wanted) != nil || len(wanted) == 0 {
			return 0, errors.New("values must be numbers")
		}
	} else {
		var one *float64
		if json.Unmarshal(f.Value, &one) != nil || one == nil {
			return 0, errors.New("value must be a number")
		}
		wanted = []float64{*one}
	}
	f.test = func(v any) bool {
		have, ok := v.(float64)
		for _, want := range wanted {
			if ok && holds(have, want) {
				return true
			}
		}
		return false
	}
	return len(wanted), nil
}

func (f *AdvancedFilter) compileRanges() (int, error) {
	var ranges [][2]float64
	if json.Unmarshal(f.Values, &ranges) != nil || len(ranges) == 0 {
		return 0, errors.New("values must be pairs of numbers")
	}
	f.test = func(v any) bool {
		have, ok := v.(float64)
		for _, r := range ranges {
			if ok && r[0] <= have && have <= r[1] {
				return true
			}
		}
		return false
	}
	return len(ranges), nil
}

func (f *AdvancedFilter) compileStrings(name string) (int, error) {
	holds := map[string]func(have, want string) bool{
		"StringIn":         func(have, want string) bool { return have == want },
		"StringBeginsWith": strings.HasPrefix,
		"StringEndsWith":   strings.HasSuffix,
		"StringContains":   strings.Contains,
	}[name]
	if holds == nil {
		return 0, fmt.Errorf("%.40q is no operatorType", f.Operator)
	}
	var wanted []string
	if json.Unmarshal(f.Values, &wanted) != nil || len(wanted) == 0 {
		return 0, errors.New("values must be texts")
	}
	for i, want := range wanted {
		if len(want) > maxFilterText {
			return 0, fmt.Errorf("a value has at most %d characters", maxFilterText)
		}
		wanted[i] = strings.ToLower(want) // texts are compared without regard to case
	}
	f.test = func(v any) bool {
		have, ok := v.(string)
		have = strings.ToLower(have)
		for _, want := range wanted {
			if ok && holds(have, want) {
				return true
			}
		}
		return false
	}
	return len(wanted), nil
}

// holds applies the filter, which was compiled. Of an array it looks at each element when onArrays is set.
func (f *AdvancedFilter) holds(fields map[string]any, onArrays bool) bool {
	v, found := lookUp(fields, f.Key)
	if f.absent {
		return f.test(v) != f.negate
	}
	if list, isList := v.([]any); isList && onArrays {
		for _, one := range list {
			if f.test(one) {
				return !f.negate
			}
		}
		return f.negate
	}
	return (found && f.test(v)) != f.negate
}
