package http2

import "sync"

// bufferSizes are the classes of pooled buffers. Received bodies grow through them as far as their flow-control window lets them.
var bufferSizes = [...]int{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}

// buffers are the free buffers of a server or a client.
type buffers struct{ pools [len(bufferSizes)]sync.Pool }

// buffer is a pooled buffer; class is its place in the pool.
type buffer struct {
	data  []byte // its length is its capacity
	class int
}

// get returns a buffer of at least size bytes; one larger than all classes is not pooled.
func (p *buffers) get(size int) *buffer {
	for class, classSize := range bufferSizes {
		if size <= classSize {
			if b, ok := p.pools[class].Get().(*buffer); ok {
				return b
			}
			return &buffer{make([]byte, classSize), class}
		}
	}
	return &buffer{make([]byte, size), len(bufferSizes)}
}

// put takes a buffer back; nil is allowed.
func (p *buffers) put(b *buffer) {
	if b != nil && b.class < len(bufferSizes) {
		p.pools[b.class].Put(b)
	}
}

// queue holds received bytes until somebody reads them. Flow control bounds it.
type queue struct {
	buffers *buffers
	block   *buffer
	r, w    int
}

func (q *queue) len() int { return q.w - q.r }

// add appends p.
func (q *queue) add(p []byte) {
	if len(p) == 0 {
		return
	}
	if q.block == nil {
		q.block, q.r, q.w = q.buffers.get(len(p)), 0, 0
	}
	if q.w+len(p) > len(q.block.data) {
		old, to := q.block, q.block
		// Moving what is unread up costs nothing on average as long as it is the smaller half.
		if 2*q.len() > len(old.data) || q.len()+len(p) > len(old.data) {
			to = q.buffers.get(max(2*len(old.data), q.len()+len(p)))
		}
		q.w = copy(to.data, old.data[q.r:q.w])
		q.r = 0
		if to != old {
			q.block = to
			q.buffers.put(old)
		}
	}
	q.w += copy(q.block.data[q.w:], p)
}

// take moves bytes into p.
func (q *queue) take(p []byte) int {
	if q.block == nil {
		return 0
	}
	n := copy(p, q.block.data[q.r:q.w])
	if q.r += n; q.r == q.w {
		q.drop()
	}
	return n
}

// drop forgets everything.
func (q *queue) drop() {
	q.buffers.put(q.block)
	q.block, q.r, q.w = nil, 0, 0
}
