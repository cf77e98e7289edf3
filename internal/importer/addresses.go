package importer

import (
	"fmt"
	"net/netip"
)

// network is a range of addresses that links must not lead to.
type network struct {
	prefix string
	why    string
}

// The ranges beside those that net/netip knows, from the IANA registries of
// special-purpose IPv4 and IPv6 addresses. Ranges that carry an IPv4 address
// inside of an IPv6 one are refused as a whole: nothing public needs them.
var reserved = [...]network{
	{"0.0.0.0/8", "reserved"},
	{"168.63.129.16/32", "cloud platform"}, // public, but the inside of every Azure network
	{"192.0.0.0/24", "reserved"},
	{"192.0.2.0/24", "documentation"},
	{"192.88.99.0/24", "reserved"},
	{"198.18.0.0/15", "benchmarking"},
	{"198.51.100.0/24", "documentation"},
	{"203.0.113.0/24", "documentation"},
	{"240.0.0.0/4", "reserved"},
	{"::/96", "IPv4-compatible"},
	{"64:ff9b::/96", "translated"},
	{"64:ff9b:1::/48", "translated"},
	{"100::/64", "discard-only"},
	{"2001::/23", "reserved"}, // Teredo among others
	{"2001:db8::/32", "documentation"},
	{"2002::/16", "6to4"},
	{"fec0::/10", "site-local"},
}

// Allow refuses an address as [Fetch] does with these options, for others that follow links of users.
func (o FetchOptions) Allow(address netip.Addr) error {
	if why := o.refused(address); why != "" {
		return fmt.Errorf("%s is a %s address", address, why)
	}
	return nil
}

// refused says what kind of address is not allowed, or nothing. Addresses of
// IPv4 in the form of IPv6 count as the IPv4 address.
func (o FetchOptions) refused(address netip.Addr) string {
	if address.Zone() != "" {
		return "link-local"
	}
	address = address.Unmap()
	switch {
	case !address.IsValid():
		return "invalid"
	case address.IsUnspecified():
		return "unspecified"
	case address.IsMulticast():
		return "multicast"
	case address.IsLinkLocalUnicast():
		return "link-local"
	case address.IsLoopback():
		if o.AllowLoopback {
			return ""
		}
		return "loopback"
	case address.IsPrivate(), netip.MustParsePrefix("100.64.0.0/10").Contains(address):
		if o.AllowPrivate {
			return ""
		}
		return "private"
	}
	for _, r := range reserved {
		if netip.MustParsePrefix(r.prefix).Contains(address) {
			return r.why
		}
	}
	return ""
}
