package csharp

import "unsafe"

// Scratch is memory in which the strings of one request are made, over and over again for the next one. A nil Scratch, and one that is full, gives
// memory of its own to each string. The zero value is ready. It is not safe for concurrent use.
type Scratch struct {
	room  []byte
	frame *Frame // without slots, for the next program that needs none
}

// scratchSize is enough for what the expressions of most requests put together; longer texts are not worth keeping memory for.
const scratchSize = 1 << 10

// Reset takes all memory back: strings that were made in it are valid no longer.
func (s *Scratch) Reset() {
	if poisonScratch {
		for i := range s.room {
			s.room[i] = 0xDB
		}
	}
	s.room = s.room[:0]
}

// Join makes one string of several.
func (s *Scratch) Join(parts ...string) string {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n == 0 {
		return ""
	}
	b := s.take(n)
	for _, p := range parts {
		b = append(b, p...)
	}
	return unsafe.String(unsafe.SliceData(b), len(b)) // nobody writes there before Reset
}

// take gives room for n bytes.
func (s *Scratch) take(n int) []byte {
	if s == nil || n > scratchSize-len(s.room) {
		return make([]byte, 0, n)
	}
	if s.room == nil {
		s.room = make([]byte, 0, scratchSize)
	}
	from := len(s.room)
	s.room = s.room[:from+n]
	return s.room[from : from : from+n]
}

// takeFrame gives the frame that giveFrame has kept, or nil.
func (s *Scratch) takeFrame() *Frame {
	if s == nil {
		return nil
	}
	fr := s.frame
	s.frame = nil
	return fr
}

// giveFrame keeps a frame without slots, unless there is one already.
func (s *Scratch) giveFrame(fr *Frame) bool {
	if s == nil || s.frame != nil {
		return false
	}
	s.frame = fr
	return true
}
