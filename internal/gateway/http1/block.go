package http1

import "sync"

// block is a pooled buffer.
type block struct {
	data  []byte
	class int
}

// blockSizes are the classes of buffers: small messages, a head with 16 KiB of body, bodies in transit, the largest head that default limits allow.
var blockSizes = [...]int{4 << 10, 20 << 10, 64 << 10, 128 << 10}

// unpooled is the class of buffers above the largest size.
const unpooled = len(blockSizes)

// blocks holds the free buffers and pipes of a server or a client.
type blocks struct {
	pools [len(blockSizes)]sync.Pool
	pipes pipes
}

// get returns a buffer of at least size bytes.
func (p *blocks) get(size int) *block {
	for class, classSize := range blockSizes {
		if size > classSize {
			continue
		}
		if b, ok := p.pools[class].Get().(*block); ok {
			return b
		}
		return &block{data: make([]byte, classSize), class: class}
	}
	return &block{data: make([]byte, size), class: unpooled}
}

// put takes a buffer back; nil is allowed.
func (p *blocks) put(b *block) {
	if b != nil && b.class != unpooled {
		p.pools[b.class].Put(b)
	}
}
