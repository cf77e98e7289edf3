package armtemplate

import (
	"math/big"
	"net/netip"
)

func cidrFunctions() map[string]function {
	return map[string]function{
		"parsecidr":  {1, 1, parseCIDR},
		"cidrsubnet": {3, 3, cidrSubnet},
		"cidrhost":   {2, 2, cidrHost},
	}
}

func (a args) prefix() netip.Prefix {
	p, err := netip.ParsePrefix(a.str(0))
	if err != nil {
		fail("The value '%s' is not a range of addresses.", shorten(a.str(0)))
	}
	return p.Masked()
}

// number is an address as a number.
func number(ip netip.Addr) *big.Int { return new(big.Int).SetBytes(ip.AsSlice()) }

// address is the reverse of number for addresses as long as like.
func address(n *big.Int, like netip.Addr) netip.Addr {
	if n.BitLen() > like.BitLen() {
		fail("The address is outside of the range.")
	}
	ip, _ := netip.AddrFromSlice(n.FillBytes(make([]byte, like.BitLen()/8)))
	return ip
}

// size is how many addresses are in a range with so many bits of prefix.
func size(ip netip.Addr, bits int) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(max(0, ip.BitLen()-bits)))
}

func mask(ip netip.Addr, bits int) netip.Addr {
	all := new(big.Int).Sub(size(ip, 0), big.NewInt(1))
	host := new(big.Int).Sub(size(ip, bits), big.NewInt(1))
	return address(all.Sub(all, host), ip)
}

func parseCIDR(a args) Value {
	p := a.prefix()
	network := number(p.Addr())
	last := new(big.Int).Add(network, new(big.Int).Sub(size(p.Addr(), p.Bits()), big.NewInt(1)))
	o := NewObject("network", p.Addr().String(), "netmask", mask(p.Addr(), p.Bits()).String())
	first, end := new(big.Int).Set(network), new(big.Int).Set(last)
	if p.Addr().Is4() {
		o.Set("broadcast", address(last, p.Addr()).String())
		if p.Bits() < 31 {
			first.Add(first, big.NewInt(1))
			end.Sub(end, big.NewInt(1))
		}
	}
	o.Set("firstUsable", address(first, p.Addr()).String())
	o.Set("lastUsable", address(end, p.Addr()).String())
	o.Set("cidr", int64(p.Bits()))
	return o
}

func cidrSubnet(a args) Value {
	p, bits, at := a.prefix(), a.int(1), a.int(2)
	if bits < int64(p.Bits()) || bits > int64(p.Addr().BitLen()) || at < 0 {
		fail("The new prefix of %d bits is not within the range.", bits)
	}
	n := new(big.Int).Mul(size(p.Addr(), int(bits)), big.NewInt(at))
	if n.Cmp(size(p.Addr(), p.Bits())) >= 0 {
		fail("The range has no subnet %d of that size.", at)
	}
	return netip.PrefixFrom(address(n.Add(n, number(p.Addr())), p.Addr()), int(bits)).String()
}

func cidrHost(a args) Value {
	p, at := a.prefix(), a.int(1)
	n := big.NewInt(at)
	if p.Addr().Is4() && p.Bits() < 31 {
		n.Add(n, big.NewInt(1)) // the network's own address is none of a host
	}
	if at < 0 || n.Cmp(size(p.Addr(), p.Bits())) >= 0 {
		fail("The range has no host %d.", at)
	}
	return address(n.Add(n, number(p.Addr())), p.Addr()).String()
}
