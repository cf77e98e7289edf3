package policies

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
)

// ValidateODataRequest is the validate-odata-request policy.
var ValidateODataRequest = policy.Define[validateODataRequest](policy.Spec{
	Name:           "validate-odata-request",
	Sections:       policy.Inbound,
	Scopes:         policy.ScopeService | policy.ScopeWorkspace | policy.ScopeProduct | policy.ScopeAPI,
	OncePerSection: true,
	Doc:            "Looks whether the request's URL, headers and parameters are those of the OData protocol.",
})

type validateODataRequest struct {
	Variable string `attr:"error-variable-name" doc:"Variable for the errors."`
	Default  string `attr:"default-odata-version" default:"4.0" doc:"OData version of requests that do not say theirs."`
	Min      string `attr:"min-odata-version" doc:"Oldest OData version that a request may have."`
	Max      string `attr:"max-odata-version" doc:"Newest OData version that a request may have."`
	MaxSize  int64  `attr:"max-size" min:"0" doc:"Most bytes of the body."`

	limited bool
	value   policy.JSONValue
}

// Compile checks the versions.
func (p *validateODataRequest) Compile(c *policy.Compiler) (err error) {
	for name, text := range map[string]string{"default-odata-version": p.Default, "min-odata-version": p.Min, "max-odata-version": p.Max} {
		if _, ok := odataVersion(text); text != "" && !ok {
			c.Errorf("InvalidValue", "attribute %q of <validate-odata-request>: %q is not an OData version", name, text)
		}
	}
	least, _ := odataVersion(p.Min)
	if most, ok := odataVersion(p.Max); ok && most < least {
		c.Errorf("InvalidValue", "min-odata-version is newer than max-odata-version")
	}
	if p.limited = p.MaxSize > 0; p.limited {
		c.UsesBody(policy.UsesRequestBody)
	}
	p.value, err = c.JSONValue()
	return err
}

// odataVersion reads major.minor; versions compare as numbers: 4.01 is newer than 4.0.
func odataVersion(text string) (float64, bool) {
	text, _, _ = strings.Cut(text, ";") // older clients name themselves behind it
	text = strings.TrimSpace(text)
	major, minor, ok := strings.Cut(text, ".")
	if !ok || len(major) != 1 || len(minor) == 0 || len(minor) > 2 || strings.Trim(major+minor, "0123456789") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && v >= 1
}

func (p *validateODataRequest) Run(x *policy.Exec) error {
	var f findings
	report := func(name, rule string, err error) {
		if err == nil {
			return
		}
		text := fmt.Sprintf("The request is not a valid OData request. %s.", err)
		f.add(actionPrevent, violation{Name: name, Type: "ODataRequest", ValidationRule: rule, Details: text, public: text})
	}
	version, err := p.version(x)
	report("OData-Version", "Version", err)
	if p.limited {
		size, err := p.size(x)
		if err != nil {
			return err
		}
		if size > p.MaxSize {
			report("", "SizeLimit", fmt.Errorf("its body is larger than %d bytes", p.MaxSize))
		}
	}
	report("", "Path", odataPath(x.Request.URL.Path))
	for _, problem := range odataQuery(x.Request.URL.RawQuery, version) {
		report(problem.option, "QueryOption", problem.err)
	}
	return f.finish(x, p.Variable, p.value)
}

// size is how long the body is; one that says it is too long is not read.
func (p *validateODataRequest) size(x *policy.Exec) (int64, error) {
	if x.Request.ContentLength > p.MaxSize {
		return x.Request.ContentLength, nil
	}
	body, err := x.ReadRequestBody()
	return int64(len(body)), err
}

// version is the version of the request, which must be within the bounds.
func (p *validateODataRequest) version(x *policy.Exec) (float64, error) {
	version, _ := odataVersion(p.Default)
	sent := x.Request.Header.Get("OData-Version")
	if sent != "" {
		v, ok := odataVersion(sent)
		if !ok {
			return version, fmt.Errorf("the header OData-Version '%s' is not a version", sent)
		}
		version = v
	}
	if most := x.Request.Header.Get("OData-MaxVersion"); most != "" {
		if _, ok := odataVersion(most); !ok {
			return version, fmt.Errorf("the header OData-MaxVersion '%s' is not a version", most)
		}
	}
	if sent == "" {
		return version, nil
	}
	if least, ok := odataVersion(p.Min); ok && version < least {
		return version, fmt.Errorf("the OData version %s is older than %s", sent, p.Min)
	}
	if most, ok := odataVersion(p.Max); ok && version > most {
		return version, fmt.Errorf("the OData version %s is newer than %s", sent, p.Max)
	}
	return version, nil
}

// odataPath checks the segments of a resource path.
func odataPath(path string) error {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil // the service document
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return fmt.Errorf("the path segment '%s' is not valid", segment)
		}
		if err := odataSegment(text, i == 0, i == len(segments)-1); err != nil {
			return err
		}
	}
	return nil
}

func odataSegment(s string, first, last bool) error {
	if s == "" {
		return errors.New("the path has an empty segment")
	}
	if strings.HasPrefix(s, "$") {
		name, _, _ := strings.Cut(s, "(")
		known := slices.Contains([]string{"$metadata", "$batch", "$entity", "$all"}, name) && first ||
			slices.Contains([]string{"$count", "$value", "$ref"}, name) && last && !first ||
			slices.Contains([]string{"$filter", "$each", "$query"}, name) && !first || strings.HasPrefix(name, "$crossjoin") && first ||
			len(name) > 1 && strings.Trim(name[1:], "0123456789") == "" && first // a reference within a batch
		if !known {
			return fmt.Errorf("the path segment '%s' is not known at its place", s)
		}
		return nil
	}
	name, key, keyed := strings.Cut(s, "(")
	if !isODataPath(name) {
		return nil // a key as a segment, which may be any text
	}
	if !keyed {
		return nil
	}
	key, closed := strings.CutSuffix(key, ")")
	if !closed {
		return fmt.Errorf("the path segment '%s' has a bracket that is not closed", s)
	}
	if strings.TrimSpace(key) == "" {
		return nil // a function without arguments
	}
	if err := parseODataArguments(key); err != nil {
		return fmt.Errorf("the path segment '%s' is not valid: %w", s, err)
	}
	return nil
}

// odataProblem is what is wrong with a query option.
type odataProblem struct {
	option string
	err    error
}

// odataQuery checks the system query options.
func odataQuery(raw string, version float64) (list []odataProblem) {
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || name == "" {
			continue
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			list = append(list, odataProblem{name, fmt.Errorf("the value of the query option '%s' is not encoded correctly", name)})
			continue
		}
		option, ok := systemOption(name, version)
		if !ok {
			continue
		}
		if seen[option] {
			list = append(list, odataProblem{name, fmt.Errorf("the query option '%s' stands more than once", name)})
			continue
		}
		seen[option] = true
		if err := checkOption(option, value); err != nil {
			list = append(list, odataProblem{name, fmt.Errorf("the query option '%s' is not valid: %w", name, err)})
		}
	}
	return list
}

// systemOption is the option that a name means. From version 4.01 on the $ may be missing and case does not matter.
func systemOption(name string, version float64) (string, bool) {
	if version < 4.01 {
		return name, strings.HasPrefix(name, "$")
	}
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "$") {
		return lower, true
	}
	return "$" + lower, isSystemOption("$" + lower)
}

func isSystemOption(name string) bool {
	switch name {
	case "$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count", "$search", "$format", "$apply", "$compute", "$skiptoken", "$deltatoken",
		"$index", "$schemaversion", "$id", "$inlinecount":
		return true
	}
	return false
}

// checkOption checks the value of a system query option.
func checkOption(option, value string) error {
	if !isSystemOption(option) {
		return errors.New("there is no such system query option")
	}
	value = strings.TrimSpace(value)
	if value == "" && option != "$select" && option != "$expand" {
		return errors.New("it has no value")
	}
	switch option {
	case "$top", "$skip":
		if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < 0 {
			return fmt.Errorf("'%s' is not a non-negative integer", value)
		}
	case "$index":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return fmt.Errorf("'%s' is not an integer", value)
		}
	case "$count":
		if value != "true" && value != "false" {
			return fmt.Errorf("'%s' is neither true nor false", value)
		}
	case "$filter":
		return parseODataFilter(value)
	case "$orderby":
		return parseODataOrder(value)
	case "$select", "$expand":
		return parseODataItems(value, option == "$expand")
	}
	return nil
}
