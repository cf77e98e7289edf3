package clr

import "github.com/causeway-apim/causeway/internal/csharp"

const regexSpace = "System.Text.RegularExpressions."

// RegexOptions, by their values in .NET.
const (
	regexRightToLeft = 0x40
	// regexEngineOptions are those whose bits mean the same to the engine; Compiled, CultureInvariant and NonBacktracking
	// change no result.
	regexEngineOptions = 0x177 &^ 0x08
)

func declareRegexOptions(b *csharp.Builder) {
	b.Enum(regexSpace+"RegexOptions", true,
		[]string{"None", "IgnoreCase", "Multiline", "ExplicitCapture", "Compiled", "Singleline", "IgnorePatternWhitespace", "RightToLeft",
			"ECMAScript", "CultureInvariant", "NonBacktracking"},
		[]int64{0, 1, 2, 4, 8, 16, 32, 64, 256, 512, 1024})
}
