package hyperv

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// Bounds of a DNS name (RFC 1035 2.3.4).
const (
	maxHostName = 253
	maxLabel    = 63
)

// CheckHostName returns the reason why name cannot be the name or the address of a host, as a
// sentence that says what to do; nil if it can be. An IPv6 address may be in brackets and may carry
// a zone. Letters of every script are accepted, because computers have such names. A character that
// cannot be in a name is shown by its code point, because it may be invisible.
func CheckHostName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("name a host")
	case strings.Contains(name, "://"):
		return fmt.Errorf("remove the scheme: it is no part of the name")
	}
	if zone, hasZone, ok := splitAddress(name); ok {
		return checkZone(zone, hasZone)
	}
	if strings.ContainsAny(name, ":[]") && wellFormed(strings.Map(withoutPort, name)) == nil {
		return fmt.Errorf("remove the port: it is no part of the name; an IPv6 address is taken with or without brackets")
	}
	if err := wellFormed(name); err != nil {
		return err
	}
	return checkLabels(strings.TrimSuffix(name, "."))
}

// withoutPort drops the character that separates a name from a port.
func withoutPort(r rune) rune {
	if strings.ContainsRune(":[]", r) {
		return -1
	}
	return r
}

// splitAddress reports whether name is an address of IPv4, or of IPv6 with or without
// brackets and zone.
func splitAddress(name string) (zone string, hasZone, ok bool) {
	inner, open := strings.CutPrefix(name, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	inner, zone, hasZone = strings.Cut(inner, "%")
	a, err := netip.ParseAddr(inner)
	return zone, hasZone, err == nil && open == closed && (a.Is6() || !open && !hasZone)
}

func checkZone(zone string, hasZone bool) error {
	if hasZone && zone == "" {
		return fmt.Errorf("name the zone after %%, or remove it")
	}
	return wellFormed(zone)
}

// wellFormed refuses characters that are in no name.
func wellFormed(name string) error {
	for _, r := range name {
		if !unicode.In(r, unicode.L, unicode.N, unicode.M) && !strings.ContainsRune("-_.", r) {
			return fmt.Errorf("remove %s: it cannot be in the name of a host", winpath.Describe(r))
		}
	}
	return nil
}

func checkLabels(name string) error {
	if len(name) > maxHostName {
		return fmt.Errorf("shorten the name: it has %d bytes, and DNS knows at most %d", len(name), maxHostName)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return fmt.Errorf("remove the dot too many")
		}
		if len(label) > maxLabel {
			return fmt.Errorf("shorten %s: it has %d bytes, and a part of a DNS name has at most %d", label, len(label), maxLabel)
		}
	}
	return nil
}

// HostKey returns a host in a form that is equal for all its spellings: letter case folded, an
// address as it is usually written, no brackets, no dot at the end of a full name. Different DNS
// names are different hosts here, even if they lead to the same one.
func HostKey(name string) string {
	name = strings.ToLower(bare(name))
	if a, err := netip.ParseAddr(name); err == nil {
		return a.String()
	}
	if full := strings.TrimSuffix(name, "."); strings.Contains(full, ".") {
		return full
	}
	return name
}

// bare returns a name without the brackets of an IPv6 address.
func bare(name string) string { return strings.Trim(name, "[]") }

// unzoned returns a name without the zone of an IPv6 address, which only this
// machine knows: no certificate, service principal or header carries it.
func unzoned(name string) string {
	if a, err := netip.ParseAddr(bare(name)); err == nil {
		return a.WithZone("").String()
	}
	return name
}
