package provider_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
)

// envNames gives the provider as a process of its own names that resolve, as
// name=address,name=address: no others do.
const envNames = "HYPERV_TEST_NAMES"

// resolveOnly lets this process resolve these names and no others.
func resolveOnly(list string) {
	names := map[string]net.IP{}
	for pair := range strings.SplitSeq(list, ",") {
		name, address, _ := strings.Cut(pair, "=")
		names[strings.ToLower(name)] = net.ParseIP(address).To4()
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serveNames(server, names)
		return client, nil
	}}
}

// serveNames answers questions as over TCP, each after its length (RFC 1035
// 4.2.2), until the connection ends.
func serveNames(conn net.Conn, names map[string]net.IP) {
	defer func() { _ = conn.Close() }()
	for {
		var size uint16
		if binary.Read(conn, binary.BigEndian, &size) != nil {
			return
		}
		question := make([]byte, size)
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		answer, err := answerName(question, names)
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

const (
	dnsHeader      = 12
	dnsAnswer      = 0x8180 // a response, recursion desired and available
	dnsNoSuchName  = 3
	dnsTypeAddress = 1
)

// answerName answers one question (RFC 1035 4.1).
func answerName(question []byte, names map[string]net.IP) ([]byte, error) {
	name, end, err := readName(question)
	if err != nil {
		return nil, err
	}
	kind := binary.BigEndian.Uint16(question[end:])
	answer := append([]byte(nil), question[:end+4]...) // without what the resolver says of itself
	flags, answers := uint16(dnsAnswer), uint16(0)
	address, known := names[strings.ToLower(name)]
	switch {
	case !known:
		flags |= dnsNoSuchName
	case kind == dnsTypeAddress:
		answers = 1
		answer = append(answer, 0xC0, dnsHeader, 0, dnsTypeAddress, 0, 1, 0, 0, 0, 60, 0, net.IPv4len)
		answer = append(answer, address...)
	}
	binary.BigEndian.PutUint16(answer[2:], flags)
	binary.BigEndian.PutUint16(answer[6:], answers)
	binary.BigEndian.PutUint32(answer[8:], 0) // no authorities, nothing additional
	return answer, nil
}

// readName reads the name of the first question and returns where it ends.
func readName(message []byte) (name string, end int, err error) {
	var labels []string
	for i := dnsHeader; i < len(message); {
		size := int(message[i])
		i++
		if size == 0 && i+4 <= len(message) {
			return strings.Join(labels, "."), i, nil
		}
		if size == 0 || size > 63 || i+size > len(message) {
			break
		}
		labels = append(labels, string(message[i:i+size]))
		i += size
	}
	return "", 0, fmt.Errorf("%d bytes are no question", len(message))
}
