package policies

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/message"
)

// judgedBody is a stream of which nothing passes that has not been judged: it is held back until a window of text is full. It ends, without an error, where
// a window is refused.
type judgedBody struct {
	message.Body
	window, overlap int
	judge           func(text string) error
	failed          func(err error)

	held  []byte // not judged yet
	ready []byte // may pass
	from  int    // where in held the line begins that is not complete
	text  string // of held, with the overlap before
	fresh int    // characters of text that were not judged
	end   error
}

// maxHeld is how many bytes of a stream are held back at most.
const maxHeld = 4 << 20

func (b *judgedBody) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		if b.end != nil {
			return 0, b.end
		}
		b.fill(p)
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

// fill reads more and judges when there is enough.
func (b *judgedBody) fill(p []byte) {
	n, err := b.Body.Read(p)
	b.held = append(b.held, p[:n]...)
	b.lines(err != nil)
	if b.fresh >= b.window || len(b.held) > maxHeld || err != nil {
		b.release()
	}
	if err != nil && b.end == nil {
		b.end = err
	}
}

// lines takes the texts of complete events.
func (b *judgedBody) lines(last bool) {
	for {
		line, _, found := bytes.Cut(b.held[b.from:], []byte{'\n'})
		if !found && !last {
			return
		}
		b.from = min(b.from+len(line)+1, len(b.held))
		var ignored llmUsage
		if text, delta, _ := eventText(line, &ignored); delta {
			b.text += text
			b.fresh += utf8.RuneCountInString(text)
		}
		if !found {
			return
		}
	}
}

// release judges the text and lets pass what it belongs to: everything up to the line that is not complete.
func (b *judgedBody) release() {
	for text := []rune(b.text); b.fresh > 0; {
		n := min(len(text), b.window)
		if err := b.judge(string(text[:n])); err != nil {
			b.failed(err)
			b.end, b.held = io.EOF, nil
			_ = b.Body.Close()
			return
		}
		if n == len(text) {
			b.fresh = 0
			b.text = string(text[max(0, n-b.overlap):])
			break
		}
		text = text[n-min(b.overlap, n-1):]
	}
	b.ready = append(b.ready, b.held[:b.from]...)
	b.held = append([]byte(nil), b.held[b.from:]...)
	b.from = 0
}

// Buffered implements [message.Buffered].
func (b *judgedBody) Buffered() int { return len(b.ready) }
