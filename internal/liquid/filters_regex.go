package liquid

import (
	"fmt"
	"strings"

	"github.com/dlclark/regexp2"
)

// regexFilter finds the filters that search with regular expressions, as Replace and ReplaceFirst of DotLiquid do: what API Management
// generates for SOAP services relies on it.
func regexFilter(name string) filter {
	switch name {
	case "replace":
		return func(_ *run, in any, args []any) (any, error) {
			return replaceRegex(in, textArgument(args, 0, ""), textArgument(args, 1, ""), -1, 0)
		}
	case "replacefirst":
		// The replacement stands as it is: "$1" means nothing in it.
		return func(_ *run, in any, args []any) (any, error) {
			literal := strings.ReplaceAll(textArgument(args, 1, ""), "$", "$$")
			return replaceRegex(in, textArgument(args, 0, ""), literal, 1, 0)
		}
	case "striphtml":
		return func(_ *run, in any, _ []any) (any, error) {
			const tags = `<script.*?</script>|<!--.*?-->|<style.*?</style>|<.*?>`
			return replaceRegex(in, tags, "", -1, regexp2.Singleline)
		}
	}
	return nil
}

func replaceRegex(in any, pattern, with string, count int, options regexp2.RegexOptions) (any, error) {
	if in == nil {
		return nil, nil
	}
	s := Text(in)
	if s == "" || pattern == "" {
		return s, nil
	}
	re, err := regexp2.Compile(pattern, options)
	if err != nil {
		return nil, filterError("parsing \"" + pattern + "\" - " + err.Error())
	}
	re.MatchTimeout = matchTimeout
	out, err := re.Replace(s, with, -1, count)
	if err != nil {
		return nil, fmt.Errorf("%w: a regular expression takes too long", ErrLimit)
	}
	return out, nil
}
