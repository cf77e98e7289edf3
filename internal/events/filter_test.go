package events

import (
	"encoding/json"
	"testing"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	e := &Event{
		ID: "1", Type: "Microsoft.ApiManagement.APICreated", Topic: service, Subject: "/apis/Pets;Rev=1",
		Data: json.RawMessage(`{"n":5,"s":"Blue Car","yes":true,"none":null,"list":["a","b"],"numbers":[1,10],"deep":{"er":"x"},"a.b":"dotted"}`),
	}
	for filter, want := range map[string]bool{
		`{}`:                             true,
		`{"subjectBeginsWith":"/APIS/"}`: true,
		`{"subjectBeginsWith":"/APIS/","isSubjectCaseSensitive":true}`:                                                                                                 false,
		`{"subjectEndsWith":"rev=1"}`:                                                                                                                                  true,
		`{"subjectEndsWith":"rev=2"}`:                                                                                                                                  false,
		`{"includedEventTypes":["microsoft.apimanagement.apicreated"]}`:                                                                                                true,
		`{"includedEventTypes":["Microsoft.ApiManagement.APIDeleted"]}`:                                                                                                false,
		`{"includedEventTypes":["All"]}`:                                                                                                                               true,
		`{"includedEventTypes":[]}`:                                                                                                                                    true,
		`{"advancedFilters":[{"operatorType":"NumberIn","key":"data.n","values":[4,5]}]}`:                                                                              true,
		`{"advancedFilters":[{"operatorType":"NumberNotIn","key":"data.n","values":[4,5]}]}`:                                                                           false,
		`{"advancedFilters":[{"operatorType":"NumberNotIn","key":"data.missing","values":[4]}]}`:                                                                       true,
		`{"advancedFilters":[{"operatorType":"NumberIn","key":"data.missing","values":[4]}]}`:                                                                          false,
		`{"advancedFilters":[{"operatorType":"NumberLessThan","key":"data.n","value":5}]}`:                                                                             false,
		`{"advancedFilters":[{"operatorType":"NumberLessThanOrEquals","key":"data.n","value":5}]}`:                                                                     true,
		`{"advancedFilters":[{"operatorType":"NumberGreaterThan","key":"data.n","value":4.5}]}`:                                                                        true,
		`{"advancedFilters":[{"operatorType":"NumberGreaterThanOrEquals","key":"data.n","value":5.5}]}`:                                                                false,
		`{"advancedFilters":[{"operatorType":"NumberInRange","key":"data.n","values":[[1,2],[4,6]]}]}`:                                                                 true,
		`{"advancedFilters":[{"operatorType":"NumberNotInRange","key":"data.n","values":[[1,2],[4,6]]}]}`:                                                              false,
		`{"advancedFilters":[{"operatorType":"BoolEquals","key":"data.yes","value":true}]}`:                                                                            true,
		`{"advancedFilters":[{"operatorType":"BoolEquals","key":"data.n","value":true}]}`:                                                                              false,
		`{"advancedFilters":[{"operatorType":"StringIn","key":"data.s","values":["x","blue car"]}]}`:                                                                   true,
		`{"advancedFilters":[{"operatorType":"StringNotIn","key":"data.s","values":["x"]}]}`:                                                                           true,
		`{"advancedFilters":[{"operatorType":"StringBeginsWith","key":"data.s","values":["BLUE"]}]}`:                                                                   true,
		`{"advancedFilters":[{"operatorType":"StringNotBeginsWith","key":"data.s","values":["BLUE"]}]}`:                                                                false,
		`{"advancedFilters":[{"operatorType":"StringEndsWith","key":"Subject","values":["=1"]}]}`:                                                                      true,
		`{"advancedFilters":[{"operatorType":"StringNotEndsWith","key":"subject","values":["=1"]}]}`:                                                                   false,
		`{"advancedFilters":[{"operatorType":"StringContains","key":"data.s","values":["e c"]}]}`:                                                                      true,
		`{"advancedFilters":[{"operatorType":"StringNotContains","key":"data.s","values":["e c"]}]}`:                                                                   false,
		`{"advancedFilters":[{"operatorType":"IsNullOrUndefined","key":"data.none"}]}`:                                                                                 true,
		`{"advancedFilters":[{"operatorType":"IsNullOrUndefined","key":"data.missing"}]}`:                                                                              true,
		`{"advancedFilters":[{"operatorType":"IsNullOrUndefined","key":"data.n"}]}`:                                                                                    false,
		`{"advancedFilters":[{"operatorType":"IsNotNull","key":"data.n"}]}`:                                                                                            true,
		`{"advancedFilters":[{"operatorType":"IsNotNull","key":"data.n.o"}]}`:                                                                                          false,
		`{"advancedFilters":[{"operatorType":"StringIn","key":"data.list","values":["b"]}]}`:                                                                           false,
		`{"enableAdvancedFilteringOnArrays":true,"advancedFilters":[{"operatorType":"StringIn","key":"data.list","values":["b"]}]}`:                                    true,
		`{"enableAdvancedFilteringOnArrays":true,"advancedFilters":[{"operatorType":"StringNotIn","key":"data.list","values":["b"]}]}`:                                 false,
		`{"enableAdvancedFilteringOnArrays":true,"advancedFilters":[{"operatorType":"NumberGreaterThan","key":"data.numbers","value":9}]}`:                             true,
		`{"advancedFilters":[{"operatorType":"StringIn","key":"data.deep.er","values":["X"]}]}`:                                                                        true,
		`{"advancedFilters":[{"operatorType":"StringIn","key":"data.a.b","values":["dotted"]}]}`:                                                                       true,
		`{"advancedFilters":[{"operatorType":"StringIn","key":"source","values":["` + service + `"]}]}`:                                                                true,
		`{"advancedFilters":[{"operatorType":"StringIn","key":"eventtype","values":["` + e.Type + `"]},{"operatorType":"BoolEquals","key":"data.yes","value":false}]}`: false,
	} {
		var f Filter
		if err := json.Unmarshal([]byte(filter), &f); err != nil {
			t.Fatal(err)
		}
		if field, err := f.check(); err != nil {
			t.Errorf("%s: %s %v", filter, field, err)
		} else if got := f.wants(e); got != want {
			t.Errorf("%s lets it through: %v, want %v", filter, got, want)
		}
	}
}
