package policies

import (
	"unicode"
	"unicode/utf8"
)

// Tokens are estimated without the tables of any model: they would be megabytes for each. What is counted is what a byte-pair encoding of today makes of
// text: words with the blank before them, groups of three digits, runs of punctuation. For English prose and JSON the estimate is within about a tenth.

const (
	// tokensPerImage is what API Management charges for an image ("llm-token-limit").
	tokensPerImage = 1200
	// tokensPerMessage and tokensOfAnswer are the marks around messages of a dialogue, and before the answer.
	tokensPerMessage, tokensOfAnswer = 4, 3
)

// tokens estimates what the request costs before it is answered.
func (r *llmRequest) tokens() int64 {
	n := int64(r.Numbers)
	for i := range r.Messages {
		m := &r.Messages[i]
		n += estimateTokens(m.Text) + int64(m.Images)*tokensPerImage
		if r.Chat {
			n += tokensPerMessage
		}
	}
	if r.Chat && len(r.Messages) > 0 {
		n += tokensOfAnswer
	}
	return n
}

// estimateTokens estimates how many tokens a text is.
func estimateTokens(s string) (n int64) {
	for len(s) > 0 {
		kind, length, runes := tokenRun(s)
		switch kind {
		case latinRun:
			n += 1 + int64(runes-1)/8
		case letterRun:
			n += 1 + int64(runes-1)/2
		case digitRun:
			n += int64(runes+2) / 3
		case punctuationRun:
			n += 1 + int64(runes-1)/3
		case spaceRun:
			// One blank belongs to the word that follows.
			if runes > 1 || s[0] != ' ' || length == len(s) {
				n++
			}
		case singleRun:
			n += int64(runes)
		case symbolRun:
			n += 2 * int64(runes)
		}
		s = s[length:]
	}
	return n
}

// runKind is what a run of text consists of.
type runKind uint8

const (
	latinRun       runKind = iota // letters of which models know words
	letterRun                     // letters of other alphabets
	digitRun                      // digits
	punctuationRun                // ASCII punctuation
	spaceRun                      // white space
	singleRun                     // characters that are words: Chinese, Japanese, Korean
	symbolRun                     // everything else
)

// tokenRun returns the run at the beginning of a text: its kind, its length in bytes and in characters.
func tokenRun(s string) (kind runKind, length, runes int) {
	for length < len(s) {
		r, size := utf8.DecodeRuneInString(s[length:])
		k := tokenKind(r)
		if runes == 0 {
			kind = k
		} else if k != kind {
			break
		}
		length, runes = length+size, runes+1
	}
	return kind, length, runes
}

func tokenKind(r rune) runKind {
	switch {
	case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
		return latinRun
	case unicode.IsSpace(r):
		return spaceRun
	case r >= '0' && r <= '9':
		return digitRun
	case r < 0x80:
		return punctuationRun
	case unicode.Is(unicode.Latin, r):
		return latinRun
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
		return singleRun
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return letterRun
	}
	return symbolRun
}
