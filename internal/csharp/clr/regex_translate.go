package clr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dlclark/regexp2/syntax"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// translatePattern turns a .NET pattern into one for the engine, which matches UTF-16 units one by one: characters beyond
// U+FFFF become two escapes, and names of Unicode blocks, which the engine does not know, become ranges.
func translatePattern(p string) string {
	if csharp.IsASCII(p) && !strings.Contains(p, "{Is") {
		return p
	}
	var out strings.Builder
	inClass := 0
	units := csharp.Units(p)
	for i := 0; i < len(units); i++ {
		u := units[i]
		switch {
		case u == '\\' && i+1 < len(units):
			i++
			if n := writeBlock(&out, units[i:], inClass > 0); n > 0 {
				i += n - 1
				continue
			}
			if !surrogate(units[i]) {
				out.WriteByte('\\')
			}
			writeUnit(&out, units[i])
			continue
		case u == '[' && (inClass == 0 || units[i-1] == '-'):
			inClass++
		case u == ']' && inClass > 0 && !opensClass(units, i):
			inClass--
		}
		writeUnit(&out, u)
	}
	return out.String()
}

// opensClass tells whether the bracket at i is the first character of a class and so an ordinary one.
func opensClass(units []uint16, i int) bool {
	return units[i-1] == '[' || i >= 2 && units[i-1] == '^' && units[i-2] == '['
}

func surrogate(u uint16) bool { return u >= 0xD800 && u <= 0xDFFF }

func writeUnit(out *strings.Builder, u uint16) {
	if surrogate(u) {
		fmt.Fprintf(out, `\u%04X`, u)
		return
	}
	out.WriteRune(rune(u))
}

// writeBlock writes the range of a block if units begin with p{IsName} or P{IsName}, and gives the number of units read.
func writeBlock(out *strings.Builder, units []uint16, inClass bool) int {
	if units[0] != 'p' && units[0] != 'P' || len(units) < 5 || units[1] != '{' || units[2] != 'I' || units[3] != 's' {
		return 0
	}
	end := 0
	for end < len(units) && units[end] != '}' {
		end++
	}
	block, ok := regexBlocks[csharp.FromUnits(units[2:end])]
	if !ok {
		return 0
	}
	negated := units[0] == 'P'
	text := fmt.Sprintf(`\u%04X-\u%04X`, block[0], block[1])
	switch {
	case inClass && negated:
		text = ""
		if block[0] > 0 {
			text = fmt.Sprintf(`\u0000-\u%04X`, block[0]-1)
		}
		if block[1] < 0xFFFF {
			text += fmt.Sprintf(`\u%04X-\uFFFF`, block[1]+1)
		}
	case negated:
		text = "[^" + text + "]"
	case !inClass:
		text = "[" + text + "]"
	}
	out.WriteString(text)
	return end + 1
}

// regexBlocks are the Unicode blocks that patterns name.
var regexBlocks = map[string][2]uint16{
	"IsBasicLatin": {0, 0x7F}, "IsLatin-1Supplement": {0x80, 0xFF}, "IsLatinExtended-A": {0x100, 0x17F}, "IsLatinExtended-B": {0x180, 0x24F},
	"IsIPAExtensions": {0x250, 0x2AF}, "IsSpacingModifierLetters": {0x2B0, 0x2FF}, "IsCombiningDiacriticalMarks": {0x300, 0x36F},
	"IsGreek": {0x370, 0x3FF}, "IsGreekandCoptic": {0x370, 0x3FF}, "IsCyrillic": {0x400, 0x4FF}, "IsCyrillicSupplement": {0x500, 0x52F},
	"IsArmenian": {0x530, 0x58F}, "IsHebrew": {0x590, 0x5FF}, "IsArabic": {0x600, 0x6FF}, "IsSyriac": {0x700, 0x74F}, "IsThaana": {0x780, 0x7BF},
	"IsDevanagari": {0x900, 0x97F}, "IsBengali": {0x980, 0x9FF}, "IsGurmukhi": {0xA00, 0xA7F}, "IsGujarati": {0xA80, 0xAFF},
	"IsTamil": {0xB80, 0xBFF}, "IsTelugu": {0xC00, 0xC7F}, "IsKannada": {0xC80, 0xCFF}, "IsMalayalam": {0xD00, 0xD7F},
	"IsThai": {0xE00, 0xE7F}, "IsLao": {0xE80, 0xEFF}, "IsTibetan": {0xF00, 0xFFF}, "IsMyanmar": {0x1000, 0x109F}, "IsGeorgian": {0x10A0, 0x10FF},
	"IsHangulJamo": {0x1100, 0x11FF}, "IsEthiopic": {0x1200, 0x137F}, "IsCherokee": {0x13A0, 0x13FF}, "IsKhmer": {0x1780, 0x17FF},
	"IsMongolian": {0x1800, 0x18AF}, "IsLatinExtendedAdditional": {0x1E00, 0x1EFF}, "IsGreekExtended": {0x1F00, 0x1FFF},
	"IsGeneralPunctuation": {0x2000, 0x206F}, "IsSuperscriptsandSubscripts": {0x2070, 0x209F}, "IsCurrencySymbols": {0x20A0, 0x20CF},
	"IsLetterlikeSymbols": {0x2100, 0x214F}, "IsNumberForms": {0x2150, 0x218F}, "IsArrows": {0x2190, 0x21FF},
	"IsMathematicalOperators": {0x2200, 0x22FF}, "IsMiscellaneousTechnical": {0x2300, 0x23FF}, "IsEnclosedAlphanumerics": {0x2460, 0x24FF},
	"IsBoxDrawing": {0x2500, 0x257F}, "IsBlockElements": {0x2580, 0x259F}, "IsGeometricShapes": {0x25A0, 0x25FF},
	"IsMiscellaneousSymbols": {0x2600, 0x26FF}, "IsDingbats": {0x2700, 0x27BF}, "IsCJKSymbolsandPunctuation": {0x3000, 0x303F},
	"IsHiragana": {0x3040, 0x309F}, "IsKatakana": {0x30A0, 0x30FF}, "IsBopomofo": {0x3100, 0x312F},
	"IsCJKUnifiedIdeographsExtensionA": {0x3400, 0x4DBF}, "IsCJKUnifiedIdeographs": {0x4E00, 0x9FFF}, "IsHangulSyllables": {0xAC00, 0xD7AF},
	"IsHighSurrogates": {0xD800, 0xDB7F}, "IsLowSurrogates": {0xDC00, 0xDFFF}, "IsPrivateUse": {0xE000, 0xF8FF}, "IsPrivateUseArea": {0xE000, 0xF8FF},
	"IsCJKCompatibilityIdeographs": {0xF900, 0xFAFF}, "IsAlphabeticPresentationForms": {0xFB00, 0xFB4F},
	"IsArabicPresentationForms-A": {0xFB50, 0xFDFF}, "IsArabicPresentationForms-B": {0xFE70, 0xFEFF},
	"IsHalfwidthandFullwidthForms": {0xFF00, 0xFFEF}, "IsSpecials": {0xFFF0, 0xFFFF},
}

// regexMessages are .NET's words for the engine's errors.
var regexMessages = map[syntax.ErrorCode]string{
	syntax.ErrUnterminatedBracket:   "Unterminated [] set.",
	syntax.ErrMissingParen:          "Not enough )'s.",
	syntax.ErrUnexpectedParen:       "Too many )'s.",
	syntax.ErrMissingRepeatArgument: "Quantifier following nothing.",
	syntax.ErrInvalidRepeatOp:       "Nested quantifier.",
	syntax.ErrInvalidRepeatSize:     "Illegal {x,y} with x > y.",
	syntax.ErrUnrecognizedGrouping:  "Unrecognized grouping construct.",
	syntax.ErrIllegalEndEscape:      `Illegal \ at end of pattern.`,
	syntax.ErrUnterminatedComment:   "Unterminated (?#...) comment.",
	syntax.ErrTooFewHex:             "Insufficient or invalid hexadecimal digits.",
	syntax.ErrIncompleteSlashP:      `Incomplete \p{X} character escape.`,
	syntax.ErrMalformedSlashP:       `Malformed \p{X} character escape.`,
	syntax.ErrSubtractionMustBeLast: "A subtraction must be the last element in a character class.",
	syntax.ErrInvalidGroupName:      "Invalid group name: Group names must begin with a word character.",
	syntax.ErrMalformedNameRef:      `Malformed \k<...> named back reference.`,
}

// throwPattern raises the exception for a faulty pattern.
func throwPattern(pattern string, err error) {
	message := err.Error()
	var e *syntax.Error
	if errors.As(err, &e) {
		var known bool
		if message, known = regexMessages[e.Code]; !known {
			message = e.Code.String()
			if len(e.Args) > 0 {
				message = fmt.Sprintf(message, e.Args...)
			}
			message = strings.ToUpper(message[:1]) + message[1:] + "."
		}
	}
	csharp.Throwf(regexSpace+"RegexParseException", "Invalid pattern '%s'. %s", pattern, message)
}
