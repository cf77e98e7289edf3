package clr

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// formSafe are the characters besides letters and digits that WebUtility.UrlEncode leaves alone.
const formSafe = "-_.!*()"

func urlEncode(r run, s string) string {
	if csharp.IsNull(s) {
		return s
	}
	r.Alloc(len(s))
	return strings.ReplaceAll(percentEscape(s, formSafe+" "), " ", "+")
}

// urlDecode decodes %XX and plus signs; what is no escape stays.
func urlDecode(b string) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c, ok := percentByte(b[i:])
		switch {
		case ok:
			i += 2
		case b[i] == '+':
			c = ' '
		default:
			c = b[i]
		}
		out = append(out, c)
	}
	return out
}

// htmlEncode is WebUtility.HtmlEncode: the five characters of markup, Latin 1 from U+00A0 and what is beyond U+FFFF.
func htmlEncode(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n == 1: // a lone surrogate
			n = min(3, len(s)-i)
			out.WriteString(replacement)
		case c == '<':
			out.WriteString("&lt;")
		case c == '>':
			out.WriteString("&gt;")
		case c == '"':
			out.WriteString("&quot;")
		case c == '\'':
			out.WriteString("&#39;")
		case c == '&':
			out.WriteString("&amp;")
		case c >= 160 && c < 256 || c > 0xFFFF:
			out.WriteString("&#" + strconv.Itoa(int(c)) + ";")
		default:
			out.WriteString(s[i : i+n])
		}
		i += n
	}
	return out.String()
}

// htmlDecode replaces references that end with a semicolon.
func htmlDecode(s string) string {
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexAny(s[1:], ";&") + 1
		if end == 0 {
			break
		}
		text, ok := "", false
		if s[end] == ';' {
			text, ok = htmlReference(s[1:end])
		}
		if ok {
			out.WriteString(text)
			s = s[end+1:]
			continue
		}
		out.WriteByte('&')
		s = s[1:]
	}
	out.WriteString(s)
	return out.String()
}

// htmlReference decodes what stands between & and ;.
func htmlReference(name string) (string, bool) {
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		base := 10
		if strings.HasPrefix(digits, "x") || strings.HasPrefix(digits, "X") {
			base, digits = 16, digits[1:]
		} else {
			digits = strings.TrimSpace(digits)
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil || n > utf8.MaxRune || n >= 0xD800 && n <= 0xDFFF {
			return "", false
		}
		return string(rune(n)), true
	}
	switch name {
	case "lang":
		return "\u2329", true // HTML 5 changed this pair
	case "rang":
		return "\u232A", true
	}
	if len(name) > 8 || !strings.Contains(htmlNames, " "+name+" ") {
		return "", false
	}
	return html.UnescapeString("&" + name + ";"), true
}

// htmlNames are the names of HTML 4 (and apos), the only ones that .NET knows.
const htmlNames = " quot amp apos lt gt nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute " +
	"micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute " +
	"Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig " +
	"agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde " +
	"ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml OElig oelig Scaron scaron Yuml fnof circ tilde Alpha Beta Gamma Delta Epsilon " +
	"Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma Tau Upsilon Phi Chi Psi Omega alpha beta gamma delta epsilon zeta eta theta " +
	"iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega thetasym upsih piv ensp emsp thinsp zwnj zwj lrm rlm " +
	"ndash mdash lsquo rsquo sbquo ldquo rdquo bdquo dagger Dagger bull hellip permil prime Prime lsaquo rsaquo oline frasl euro image weierp " +
	"real trade alefsym larr uarr rarr darr harr crarr lArr uArr rArr dArr hArr forall part exist empty nabla isin notin ni prod sum minus " +
	"lowast radic prop infin ang and or cap cup int there4 sim cong asymp ne equiv le ge sub sup nsub sube supe oplus otimes perp sdot lceil " +
	"rceil lfloor rfloor lang rang loz spades clubs hearts diams "

func declareWebUtility(b *csharp.Builder) {
	t := b.Type("static class System.Net.WebUtility", csharp.NoGo())
	t.Static("string UrlEncode(string value)", csharp.F2(urlEncode))
	t.Static("string UrlDecode(string encodedValue)", csharp.F2(func(r run, s string) string {
		if csharp.IsNull(s) {
			return s
		}
		r.Alloc(len(s))
		return decodeUTF8(urlDecode(string(encodeUTF8(s))))
	}))
	t.Static("byte[] UrlEncodeToBytes(byte[] value, int offset, int count)", csharp.F4(func(r run, b []byte, i, n int) []byte {
		b = byteRange(b, i, n, "value")
		r.Alloc(3 * len(b))
		var out []byte
		for _, c := range b {
			switch {
			case c == ' ':
				out = append(out, '+')
			case isAlnum(c) || strings.IndexByte(formSafe, c) >= 0:
				out = append(out, c)
			default:
				out = append(out, '%', upperHex[c>>4], upperHex[c&15])
			}
		}
		return out
	}))
	t.Static("byte[] UrlDecodeToBytes(byte[] encodedValue, int offset, int count)", csharp.F4(func(r run, b []byte, i, n int) []byte {
		r.Alloc(n)
		return urlDecode(string(byteRange(b, i, n, "encodedValue")))
	}))
	t.Static("string HtmlEncode(string value)", csharp.F2(func(r run, s string) string {
		if csharp.IsNull(s) {
			return s
		}
		r.Alloc(2 * len(s))
		return htmlEncode(s)
	}))
	t.Static("string HtmlDecode(string value)", csharp.F2(func(r run, s string) string {
		if csharp.IsNull(s) {
			return s
		}
		r.Alloc(len(s))
		return htmlDecode(s)
	}))
}
