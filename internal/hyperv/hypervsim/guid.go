package hypervsim

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// guid is a GUID as Windows stores it: its first three parts little-endian.
type guid [16]byte

// String writes the GUID in upper case, without braces.
func (g guid) String() string {
	var b [16]byte
	binary.BigEndian.PutUint32(b[0:], binary.LittleEndian.Uint32(g[0:]))
	binary.BigEndian.PutUint16(b[4:], binary.LittleEndian.Uint16(g[4:]))
	binary.BigEndian.PutUint16(b[6:], binary.LittleEndian.Uint16(g[6:]))
	copy(b[8:], g[8:])
	return guidBigEndian(b[:])
}

// guidBigEndian writes a GUID that is stored in network order, as VHD does.
func guidBigEndian(b []byte) string {
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16]))
}

// mustGUID reads a GUID that is written in this package.
func mustGUID(s string) guid {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 {
		panic("hypervsim: bad GUID " + s)
	}
	var g guid
	binary.LittleEndian.PutUint32(g[0:], binary.BigEndian.Uint32(b[0:]))
	binary.LittleEndian.PutUint16(g[4:], binary.BigEndian.Uint16(b[4:]))
	binary.LittleEndian.PutUint16(g[6:], binary.BigEndian.Uint16(b[6:]))
	copy(g[8:], b[8:])
	return g
}
