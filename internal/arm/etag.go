package arm

import (
	"net/http"
	"strings"
)

// QuoteETag returns the header form of an entity tag.
func QuoteETag(tag string) string { return `"` + tag + `"` }

// CheckIfMatch evaluates If-Match and If-None-Match of a write. etag, without quotes, is that of the stored resource,
// exists says whether there is one.
//
// A missing or empty If-Match is unconditional, because Terraform sends none. "*" is unconditional as well, even on a
// PUT that creates: that is how clients of API Management upsert. If-None-Match: * makes a PUT create only.
func CheckIfMatch(h http.Header, etag string, exists bool) *Error {
	if want := h.Get("If-Match"); want != "" && want != "*" && (!exists || !matchesTag(want, etag)) {
		return preconditionFailed("If-Match")
	}
	if not := h.Get("If-None-Match"); not != "" && exists && matchesTag(not, etag) {
		return preconditionFailed("If-None-Match")
	}
	return nil
}

// NotModified reports whether a read may answer 304 because If-None-Match holds etag.
func NotModified(h http.Header, etag string) bool {
	not := h.Get("If-None-Match")
	return not != "" && matchesTag(not, etag)
}

func preconditionFailed(header string) *Error {
	return Errorf(CodePreconditionFailed, "The resource has changed, or exists, or does not exist: the condition of the header %s is not met.", header).WithTarget(header)
}

// matchesTag looks for etag in a header's list. Weak tags and ones without quotes are taken, too.
func matchesTag(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.Trim(tag, `"`) == etag {
			return true
		}
	}
	return false
}
