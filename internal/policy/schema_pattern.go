package policy

import (
	"regexp"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// patternTimeout bounds one search with a pattern that needs backtracking.
const patternTimeout = 250 * time.Millisecond

// compilePattern compiles a pattern of a JSON schema: in linear time where Go's engine knows all of it, as ECMAScript's otherwise.
func compilePattern(s string) (jsonschema.Regexp, error) {
	if re, err := regexp.Compile(s); err == nil {
		return re, nil
	}
	re, err := regexp2.Compile(s, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = patternTimeout
	return (*backtracking)(re), nil
}

// backtracking is a pattern with look-around or references.
type backtracking regexp2.Regexp

func (b *backtracking) String() string { return (*regexp2.Regexp)(b).String() }

// MatchString says whether the pattern is found; a search that takes too long finds nothing.
func (b *backtracking) MatchString(s string) bool {
	ok, err := (*regexp2.Regexp)(b).MatchString(s)
	return ok && err == nil
}
