package arm

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Page sizes.
const (
	DefaultTop = 100
	MaxTop     = 1000
	maxSkip    = 1 << 40

	skipToken    = "$skiptoken"
	maxSkipToken = 512
)

// Page is the part of a list that a request asks for.
type Page struct {
	Top   int // items in one answer
	Skip  int64
	After string // of a link of NextAfter: the last item of the page before
}

// ParsePage reads $top and $skip. A $top larger than [MaxTop] is cut to it.
func ParsePage(q url.Values) (Page, *Error) {
	p := Page{Top: DefaultTop}
	if s := Param(q, "$top"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 {
			return p, Errorf(CodeInvalidQuery, "$top is a whole number of at least 1.").WithTarget("$top")
		}
		p.Top = int(min(n, MaxTop))
	}
	if s := Param(q, "$skip"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || n > maxSkip {
			return p, Errorf(CodeInvalidQuery, "$skip is a whole number of at least 0.").WithTarget("$skip")
		}
		p.Skip = n
	}
	if p.After = Param(q, skipToken); len(p.After) > maxSkipToken || !utf8.ValidString(p.After) || strings.Contains(p.After, "\x00") {
		return p, Errorf(CodeInvalidQuery, "%s is not one that was answered.", skipToken).WithTarget(skipToken)
	}
	return p, nil
}

// Next returns the absolute link of the page after p, "" when there is none. total is the number of items in the list;
// baseURL and path are those of the request, q its query, which is not changed.
//
// $top of a request is the size of its pages: like API Management, the list goes on after them.
func (p Page) Next(baseURL, path string, q url.Values, total int64) string {
	return p.NextAfter(baseURL, path, q, total, "")
}

// NextAfter is Next for lists that can go on after an item without counting to it: the link names the page's last one as
// well, unless last is empty.
func (p Page) NextAfter(baseURL, path string, q url.Values, total int64, last string) string {
	skip := p.Skip + int64(p.Top)
	if skip >= total {
		return ""
	}
	next := make(url.Values, len(q)+1)
	for k, v := range q {
		if !strings.EqualFold(k, "$skip") && !strings.EqualFold(k, skipToken) {
			next[k] = v
		}
	}
	next.Set("$skip", strconv.FormatInt(skip, 10))
	if last != "" {
		next.Set(skipToken, last)
	}
	// The dollar sign stays readable; clients match on it.
	return baseURL + path + "?" + strings.ReplaceAll(next.Encode(), "%24", "$")
}

// List is the body of a collection.
type List struct {
	Value    []json.RawMessage `json:"value"`
	Count    *int64            `json:"count,omitempty"` // of all pages; nil when it is not known
	NextLink string            `json:"nextLink,omitempty"`
}
