package policies

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// JSONP is the jsonp policy.
var JSONP = policy.Define[jsonp](policy.Spec{
	Name:           "jsonp",
	NoHandshake:    true,
	Sections:       policy.Outbound,
	OncePerSection: true,
	Body:           policy.UsesResponseBody,
	Flow:           policy.FlowStays,
	Doc:            "Wraps the answer in a call of the JavaScript function that a query parameter names. Requests without the parameter get the answer as it is.",
})

type jsonp struct {
	Parameter policy.Value[string] `attr:"callback-parameter-name,required" doc:"Name of the query parameter with the name of the function."`
}

func (p *jsonp) Run(x *policy.Exec) error {
	name, err := p.Parameter.Get(x)
	if err != nil {
		return err
	}
	function := queryParameter(&x.OriginalURL, name)
	if function == "" {
		return nil
	}
	if !isFunctionName(function) {
		return &policy.Error{
			Reason: "CallbackParameterInvalid", Status: 400,
			Message: fmt.Sprintf("Value of callback parameter %s is not a valid JavaScript identifier.", name),
		}
	}
	body, err := x.ReadResponseBody()
	if err != nil {
		return err
	}
	script := make([]byte, 0, len(function)+len(body)+len("()"))
	script = append(append(append(append(script, function...), '('), body...), ')')
	x.SetBody(script)
	x.Response.Header.Set("Content-Type", "application/javascript")
	return nil
}

// queryParameter is the first value of a query parameter, decoded; "" without one.
func queryParameter(u *message.URL, name string) string {
	for n, v := range u.Query() {
		if decoded, err := url.QueryUnescape(n); err != nil || decoded != name {
			continue
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return v
		}
		return value
	}
	return ""
}

// reservedWords cannot name anything in JavaScript (ECMAScript, 12.7.2).
const reservedWords = "await break case catch class const continue debugger default delete do else enum export extends false finally for function " +
	"if import in instanceof new null return super switch this throw true try typeof var void while with yield"

// isFunctionName says whether s is an identifier of JavaScript, or several with dots between them, as libraries name their callbacks. Nothing else
// may reach the answer, which browsers run.
func isFunctionName(s string) bool {
	const longest = 256
	if len(s) > longest {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || slices.Contains(strings.Fields(reservedWords), part) {
			return false
		}
		for i, c := range part {
			if c != '$' && c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
				return false
			}
		}
	}
	return true
}
