package winrmsim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
)

// Protocol names of sealed bodies (MS-WSMV 2.2.9.1).
const (
	protocolNegotiate = "application/HTTP-SPNEGO-session-encrypted"
	protocolKerberos  = "application/HTTP-Kerberos-session-encrypted"
	delimiter         = "--Encrypted Boundary\r\n"
	closingDelimiter  = "--Encrypted Boundary--\r\n"
)

// sealProtocol is the protocol that belongs to an authentication scheme.
func sealProtocol(s Scheme) string {
	if s == SchemeKerberos {
		return protocolKerberos
	}
	return protocolNegotiate
}

// sealedPart is one sealed message and what is said about it.
type sealedPart struct {
	protocol        string
	content         string // type of the message
	charset         string // of the message, when received
	length          int    // of the message
	signature, data []byte
}

// contentType labels the whole body.
func (p *sealedPart) contentType() string {
	return `multipart/encrypted;protocol="` + p.protocol + `";boundary="Encrypted Boundary"`
}

// encode writes the body: a TAB before each field, no empty lines, no line end
// after the data.
func (p *sealedPart) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\tContent-Type: %s\r\n\tOriginalContent: type=%s;Length=%d\r\n%s\tContent-Type: application/octet-stream\r\n",
		delimiter, p.protocol, p.content, p.length, delimiter)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(p.signature)))) //nolint:gosec // the length of a signature
	b.Write(p.signature)
	b.Write(p.data)
	b.WriteString(closingDelimiter)
	return b.Bytes()
}

var errSealedForm = errors.New("not a sealed body")

// maxSignature bounds a signature.
const maxSignature = 1 << 10

// decodeSealed reads a body by its lengths. The TAB before a field may be
// missing and the delimiter may have a space after its dashes: clients of real
// hosts send both, and are served.
func decodeSealed(body []byte, protocol string) (sealedPart, error) {
	var p sealedPart
	lines, data, err := headerLines(body)
	if err != nil {
		return p, err
	}
	switch {
	case !isDelimiter(lines[0]), !isDelimiter(lines[3]),
		lines[1] != "Content-Type: "+protocol,
		lines[4] != "Content-Type: application/octet-stream":
		return p, errSealedForm
	}
	if err := p.readOriginal(lines[2]); err != nil {
		return p, err
	}
	if len(data) < 4 {
		return p, errSealedForm
	}
	size := int(binary.LittleEndian.Uint32(data))
	data = data[4:]
	if size > maxSignature || size > len(data) {
		return p, errSealedForm
	}
	p.signature, data = data[:size], data[size:]
	for _, end := range []string{closingDelimiter, "-- Encrypted Boundary--\r\n"} {
		if rest, ok := bytes.CutSuffix(data, []byte(end)); ok && len(rest) >= p.length {
			p.data = rest
			return p, nil
		}
	}
	return p, errSealedForm
}

// headerLines returns the five lines in front of the data, without the white
// space that leads them.
func headerLines(body []byte) (lines [5]string, rest []byte, err error) {
	for i := range lines {
		line, after, ok := bytes.Cut(body, []byte("\r\n"))
		if !ok || len(line) > 512 {
			return lines, nil, errSealedForm
		}
		lines[i], body = strings.TrimLeft(string(line), " \t"), after
	}
	return lines, body, nil
}

func isDelimiter(line string) bool {
	return line == "--Encrypted Boundary" || line == "-- Encrypted Boundary"
}

// readOriginal reads what the message is and how long.
func (p *sealedPart) readOriginal(line string) error {
	value, ok := strings.CutPrefix(line, "OriginalContent: type=")
	if !ok {
		return errSealedForm
	}
	mediaType, parameters, err := mime.ParseMediaType(value)
	if err != nil || mediaType != "application/soap+xml" {
		return errSealedForm
	}
	p.charset = parameters["charset"]
	// ParseMediaType lowers the names of parameters.
	if p.length, err = strconv.Atoi(parameters["length"]); err != nil || p.length < 0 {
		return errSealedForm
	}
	return nil
}
