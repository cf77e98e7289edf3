package arm

import (
	"net/url"
	"slices"
	"strings"
)

// APIVersions returns the api-versions of Microsoft.ApiManagement that are accepted, oldest first. They differ little
// in what Causeway serves, so the answers have the newest shape.
func APIVersions() []string {
	return []string{
		"2021-08-01", "2021-12-01-preview", "2022-04-01-preview", "2022-08-01", "2022-09-01-preview",
		"2023-03-01-preview", "2023-05-01-preview", "2023-09-01-preview", "2024-05-01", "2024-06-01-preview",
		"2024-10-01-preview", "2025-03-01-preview", "2025-09-01-preview", "2026-03-01-preview", "2026-09-01-preview",
	}
}

// APIVersion reads the api-version of a request to Microsoft.ApiManagement.
func APIVersion(q url.Values) (string, *Error) {
	v, err := AnyAPIVersion(q)
	if err != nil {
		return "", err
	}
	known := APIVersions()
	if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, v) }); i >= 0 {
		return known[i], nil
	}
	e := Errorf(CodeInvalidAPIVersion, "The api-version '%s' is not valid for %s. The supported versions are '%s'.", v, Provider, strings.Join(known, ", "))
	return "", e.WithTarget("api-version")
}

// AnyAPIVersion reads an api-version of the other providers, whose form alone is checked.
func AnyAPIVersion(q url.Values) (string, *Error) {
	v := Param(q, "api-version")
	if v == "" {
		return "", Errorf(CodeMissingAPIVersion, "The api-version query parameter (?api-version=) is required for all requests.").WithTarget("api-version")
	}
	if !isDate(strings.TrimSuffix(strings.ToLower(v), "-preview")) {
		return "", Errorf(CodeInvalidAPIVersion, "The api-version '%.40s' is not valid: it is a date such as 2024-05-01.", v).WithTarget("api-version")
	}
	return v, nil
}

func isDate(s string) bool {
	if len(s) != len("2024-05-01") {
		return false
	}
	for i := range len(s) {
		if dash := i == 4 || i == 7; dash != (s[i] == '-') || !dash && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// Param returns the first value of a query parameter, whose name is matched without regard to case.
func Param(q url.Values, name string) string {
	if v, ok := q[name]; ok && len(v) > 0 {
		return v[0]
	}
	for k, v := range q {
		if len(v) > 0 && strings.EqualFold(k, name) {
			return v[0]
		}
	}
	return ""
}
