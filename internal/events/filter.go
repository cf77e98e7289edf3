package events

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Limits of filters (https://learn.microsoft.com/azure/event-grid/event-filtering#limitations).
const (
	maxFilters      = 25
	maxFilterValues = 25
	maxFilterText   = 512
	maxFilterKey    = 256
	maxSubjectText  = 1024
	maxIncluded     = 100
)

// Filter chooses events, with the JSON of Event Grid's EventSubscriptionFilter.
type Filter struct {
	SubjectBeginsWith string           `json:"subjectBeginsWith"`
	SubjectEndsWith   string           `json:"subjectEndsWith"`
	CaseSensitive     bool             `json:"isSubjectCaseSensitive,omitempty"`
	IncludedTypes     []string         `json:"includedEventTypes"`
	OnArrays          bool             `json:"enableAdvancedFilteringOnArrays,omitempty"`
	Advanced          []AdvancedFilter `json:"advancedFilters,omitempty"`
}

// check refuses a filter that cannot work. field is where it went wrong.
func (f *Filter) check() (field string, err error) {
	if len(f.SubjectBeginsWith) > maxSubjectText || len(f.SubjectEndsWith) > maxSubjectText {
		return "subjectBeginsWith", fmt.Errorf("a subject has at most %d characters", maxSubjectText)
	}
	if len(f.IncludedTypes) > maxIncluded {
		return "includedEventTypes", fmt.Errorf("there are at most %d types of events", maxIncluded)
	}
	known := eventTypes()
	for _, name := range f.IncludedTypes {
		if !strings.EqualFold(name, "All") && !slices.ContainsFunc(known, func(t eventType) bool { return strings.EqualFold(t.name, name) }) {
			return "includedEventTypes", fmt.Errorf("%.100q is no type of events", name)
		}
	}
	values := 0
	for i := range f.Advanced {
		n, err := f.Advanced[i].compile()
		if err != nil {
			return "advancedFilters", fmt.Errorf("filter %d: %w", i+1, err)
		}
		values += n
	}
	if len(f.Advanced) > maxFilters || values > maxFilterValues {
		return "advancedFilters", fmt.Errorf("there are at most %d filters with %d values together", maxFilters, maxFilterValues)
	}
	return "", nil
}

// wants reports whether the filter, which was checked, lets an event through.
func (f *Filter) wants(e *Event) bool {
	subject, begin, end := e.Subject, f.SubjectBeginsWith, f.SubjectEndsWith
	if !f.CaseSensitive {
		subject, begin, end = strings.ToLower(subject), strings.ToLower(begin), strings.ToLower(end)
	}
	if !strings.HasPrefix(subject, begin) || !strings.HasSuffix(subject, end) {
		return false
	}
	named := func(name string) bool { return strings.EqualFold(name, e.Type) || strings.EqualFold(name, "All") }
	if len(f.IncludedTypes) > 0 && !slices.ContainsFunc(f.IncludedTypes, named) {
		return false
	}
	if len(f.Advanced) == 0 {
		return true
	}
	fields := e.fields()
	for i := range f.Advanced {
		if !f.Advanced[i].holds(fields, f.OnArrays) {
			return false
		}
	}
	return true
}

// fields are what keys of advanced filters name, under the names of both schemas, in lower case.
func (e *Event) fields() map[string]any {
	var data any
	_ = json.Unmarshal(e.Data, &data) // it was marshalled here
	return map[string]any{
		"id": e.ID, "topic": e.Topic, "source": e.Topic, "subject": e.Subject, "eventtype": e.Type, "type": e.Type,
		"dataversion": dataVersion, "eventtime": eventTime(e.Time), "time": eventTime(e.Time), "specversion": "1.0", "data": data,
	}
}

// lookUp finds the value that a key such as data.tokenInfo.expiresAtUtc names. A member whose name holds dots is found as
// long as nothing else has the beginning of its name.
func lookUp(fields map[string]any, key string) (value any, found bool) {
	first, rest, nested := strings.Cut(key, ".")
	value, found = fields[strings.ToLower(first)]
	for found && nested {
		members, isObject := value.(map[string]any)
		if !isObject {
			return nil, false
		}
		first, rest, nested = strings.Cut(rest, ".")
		value, found = member(members, first)
		if !found && nested {
			return member(members, first+"."+rest)
		}
	}
	return value, found
}

func member(members map[string]any, name string) (any, bool) {
	if v, ok := members[name]; ok {
		return v, true
	}
	for k, v := range members {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}
