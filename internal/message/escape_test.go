package message

import "testing"

func TestEscapeURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{"https://h/a/b?c=d&e=%20+;,'()!*$@:[]~#f", "https://h/a/b?c=d&e=%20+;,'()!*$@:[]~#f"},
		{"/a b?$filter=Name eq 'x'", "/a%20b?$filter=Name%20eq%20'x'"},
		{"/é?ü=|\"<>\\^`{}", "/%C3%A9?%C3%BC=%7C%22%3C%3E%5C%5E%60%7B%7D"},
		{"100%", "100%25"},
		{"%zz%4", "%25zz%254"},
		{"\r\n\t\x7f", "%0D%0A%09%7F"},
		{"", ""},
	} {
		if got := EscapeURL(c.raw); got != c.want {
			t.Errorf("%q: got %q, want %q", c.raw, got, c.want)
		}
	}
}
