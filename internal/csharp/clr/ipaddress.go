package clr

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// IPAddress is System.Net.IPAddress.
type IPAddress struct {
	addr  netip.Addr
	fixed bool // one of the constants such as IPAddress.Any, which have a class of their own
}

// ClrName is System.Net.IPAddress.
func (a *IPAddress) ClrName() string {
	if a.fixed {
		return "System.Net.IPAddress+ReadOnlyIPAddress"
	}
	return "System.Net.IPAddress"
}

// ToString is the canonical text.
func (a *IPAddress) ToString() string { return addrText(a.addr) }

// addrText is RFC 5952 but for IPv4-compatible addresses, which .NET still writes with dots.
func addrText(a netip.Addr) string {
	b := a.As16()
	if a.Is6() && !a.Is4In6() && binary.BigEndian.Uint64(b[:]) == 0 && binary.BigEndian.Uint32(b[8:]) == 0 && (b[12] != 0 || b[13] != 0) {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return a.String()
}

// Equals compares addresses and scopes.
func (a *IPAddress) Equals(o any) bool { x, ok := o.(*IPAddress); return ok && x.addr == a.addr }

// HashKey is the address.
func (a *IPAddress) HashKey() any { return a.addr }

// parseIPv4 reads one to four parts in decimal, octal or hexadecimal, of which the last fills what is left, as inet_aton does.
func parseIPv4(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var total uint64
	for i, p := range parts {
		n, ok := parseIPv4Part(p)
		most := uint64(0xFF)
		if i == len(parts)-1 {
			most = 1<<(8*(5-len(parts))) - 1
		}
		if !ok || n > most {
			return netip.Addr{}, false
		}
		if i == len(parts)-1 {
			total |= n
		} else {
			total |= n << (24 - 8*i)
		}
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(total)))), true
}

func parseIPv4Part(p string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(p, "0x") || strings.HasPrefix(p, "0X"):
		base, p = 16, p[2:]
	case len(p) > 1 && p[0] == '0':
		base, p = 8, p[1:]
	}
	if p == "" || p[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseUint(p, base, 32)
	return n, err == nil
}

// parseIP reads what IPAddress.Parse accepts.
func parseIP(s string) (*IPAddress, bool) {
	if !strings.Contains(s, ":") {
		a, ok := parseIPv4(s)
		return &IPAddress{addr: a}, ok
	}
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return nil, false
		}
		if rest := s[end+1:]; rest != "" {
			if _, err := strconv.ParseUint(strings.TrimPrefix(rest, ":"), 10, 16); err != nil || rest[0] != ':' {
				return nil, false
			}
		}
		s = s[1:end]
	}
	s, _, _ = strings.Cut(s, "/")
	a, err := netip.ParseAddr(s)
	return &IPAddress{addr: a}, err == nil && a.Is6()
}

func mustIP(s string) *IPAddress {
	needString(s, "ipString")
	a, ok := parseIP(s)
	if !ok {
		formatError("An invalid IP address was specified.")
	}
	return a
}

func (a *IPAddress) need6() {
	if a.addr.Is4() {
		csharp.Throw("System.Net.Sockets.SocketException", "The attempted operation is not supported for the type of object referenced.")
	}
}

func declareIPAddress(b *csharp.Builder) {
	b.Enum("System.Net.Sockets.AddressFamily", false, []string{"Unknown", "Unspecified", "Unix", "InterNetwork", "InterNetworkV6"}, []int64{-1, 0, 1, 2, 23})
	t := b.Type("class System.Net.IPAddress", csharp.Go[*IPAddress]())
	for name, text := range map[string]string{"Any": "0.0.0.0", "Loopback": "127.0.0.1", "Broadcast": "255.255.255.255", "None": "255.255.255.255",
		"IPv6Any": "::", "IPv6Loopback": "::1", "IPv6None": "::"} {
		a := &IPAddress{addr: netip.MustParseAddr(text), fixed: !strings.HasPrefix(name, "IPv6")}
		t.StaticProp("IPAddress "+name, csharp.F0(func() *IPAddress { return a }))
	}
	t.New("(byte[] address)", csharp.F1(func(b []byte) *IPAddress {
		if b == nil {
			csharp.ThrowArgumentNull("address")
		}
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			csharp.ThrowArgument("System.ArgumentException", "An invalid IP address was specified.", "address")
		}
		return &IPAddress{addr: a}
	}))
	t.New("(long newAddress)", csharp.F1(func(n int64) *IPAddress {
		if n < 0 || n > 0xFFFFFFFF {
			outOfRange("newAddress", "Specified argument was out of the range of valid values.")
		}
		return &IPAddress{addr: netip.AddrFrom4([4]byte(binary.LittleEndian.AppendUint32(nil, uint32(n))))}
	}))
	t.Static("IPAddress Parse(string ipString)", csharp.F1(mustIP))
	t.Static("bool TryParse(string ipString, out IPAddress address)", csharp.F2(func(s string, out ref) bool {
		a, ok := parseIP(s)
		out.Value = nil
		if ok && !csharp.IsNull(s) {
			out.Value = a
		}
		return out.Value != nil
	}))
	t.Static("bool IsLoopback(IPAddress address)", csharp.F1(func(a *IPAddress) bool {
		if a == nil {
			csharp.ThrowArgumentNull("address")
		}
		return a.addr.Unmap().IsLoopback()
	}))
	t.Prop("System.Net.Sockets.AddressFamily AddressFamily", csharp.F1(func(a *IPAddress) int {
		if a.addr.Is4() {
			return 2
		}
		return 23
	}))
	t.Prop("bool IsIPv4MappedToIPv6", csharp.F1(func(a *IPAddress) bool { return a.addr.Is4In6() }))
	t.Prop("bool IsIPv6LinkLocal", csharp.F1(func(a *IPAddress) bool { return a.addr.Is6() && a.addr.IsLinkLocalUnicast() }))
	t.Prop("bool IsIPv6Multicast", csharp.F1(func(a *IPAddress) bool { return a.addr.Is6() && a.addr.IsMulticast() }))
	t.Prop("bool IsIPv6SiteLocal", csharp.F1(func(a *IPAddress) bool {
		b := a.addr.As16()
		return a.addr.Is6() && b[0] == 0xFE && b[1]&0xC0 == 0xC0
	}))
	t.Prop("long ScopeId", csharp.F1(func(a *IPAddress) int64 {
		a.need6()
		n, _ := strconv.ParseUint(a.addr.Zone(), 10, 32) // a name is no number: 0
		return int64(n)
	}))
	t.Method("byte[] GetAddressBytes()", csharp.F1(func(a *IPAddress) []byte { return a.addr.AsSlice() }))
	t.Method("IPAddress MapToIPv4()", csharp.F1(func(a *IPAddress) *IPAddress {
		b := a.addr.As16()
		return &IPAddress{addr: netip.AddrFrom4([4]byte(b[12:]))}
	}))
	t.Method("IPAddress MapToIPv6()", csharp.F1(func(a *IPAddress) *IPAddress { return &IPAddress{addr: netip.AddrFrom16(a.addr.As16())} }))
	t.Static("int HostToNetworkOrder(int host)", csharp.F1(func(n int32) int32 { return int32(bits.ReverseBytes32(uint32(n))) }))
	t.Static("int NetworkToHostOrder(int network)", csharp.F1(func(n int32) int32 { return int32(bits.ReverseBytes32(uint32(n))) }))
	t.Static("long HostToNetworkOrder(long host)", csharp.F1(func(n int64) int64 { return int64(bits.ReverseBytes64(uint64(n))) }))
	t.Static("long NetworkToHostOrder(long network)", csharp.F1(func(n int64) int64 { return int64(bits.ReverseBytes64(uint64(n))) }))
	t.Static("short HostToNetworkOrder(short host)", csharp.F1(func(n int16) int16 { return int16(bits.ReverseBytes16(uint16(n))) }))
	t.Static("short NetworkToHostOrder(short network)", csharp.F1(func(n int16) int16 { return int16(bits.ReverseBytes16(uint16(n))) }))
}
