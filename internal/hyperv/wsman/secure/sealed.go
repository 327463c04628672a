package secure

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"mime"
	"strconv"
	"strings"
)

// Protocols of a sealed body (MS-WSMV 2.2.9.1). The protocol follows the scheme of
// the Authorization header, not the mechanism: a Kerberos context under Negotiate
// is ProtocolSPNEGO too.
const (
	ProtocolSPNEGO   = "application/HTTP-SPNEGO-session-encrypted"
	ProtocolKerberos = "application/HTTP-Kerberos-session-encrypted"
)

// SOAPType is the content type of a message, in the clear and as the original
// content of a sealed one.
const SOAPType = "application/soap+xml;charset=UTF-8"

const (
	sealedMediaType = "multipart/encrypted"
	boundaryName    = "Encrypted Boundary"
	boundary        = "--" + boundaryName
	octetStream     = "application/octet-stream"
	crlf            = "\r\n"

	maxPseudoHeaders    = 8
	maxPseudoHeaderLine = 512
	maxSignature        = 1 << 10
)

// SealedContentType is the Content-Type of a request or an answer with a sealed body.
func SealedContentType(protocol string) string {
	return sealedMediaType + `;protocol="` + protocol + `";boundary="` + boundaryName + `"`
}

// IsSealed reports whether contentType announces a sealed body of a known protocol.
func IsSealed(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	return err == nil && media == sealedMediaType && isProtocol(params["protocol"])
}

func isProtocol(s string) bool {
	return strings.EqualFold(s, ProtocolSPNEGO) || strings.EqualFold(s, ProtocolKerberos)
}

// EncodeSealed frames a sealed message (MS-WSMV 2.2.9.1). The length plainLen
// is that of the message, in bytes, before it was sealed.
//
// The form only looks like MIME: its headers begin with a tab, no blank line ends
// them, and the binary part has no line break behind it.
func EncodeSealed(protocol string, plainLen int, signature, sealed []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(signature) + len(sealed) + 320)
	b.WriteString(boundary + crlf)
	fmt.Fprintf(&b, "\tContent-Type: %s\r\n", protocol)
	fmt.Fprintf(&b, "\tOriginalContent: type=%s;Length=%d\r\n", SOAPType, plainLen)
	b.WriteString(boundary + crlf)
	b.WriteString("\tContent-Type: " + octetStream + crlf)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(signature)))) //nolint:gosec // signatures are at most 72 bytes
	b.Write(signature)
	b.Write(sealed)
	b.WriteString(boundary + "--" + crlf)
	return b.Bytes()
}

// DecodeSealed splits a sealed body into the signature and the ciphertext, which
// share memory with body.
//
// It goes by the stated lengths and never looks for the boundary, which ciphertext may contain by
// chance. Besides the form that [EncodeSealed] writes, it accepts forms that servers are known to
// send: headers without the tab, a space in "-- Encrypted Boundary", and a line break too many or
// too few at the very end.
func DecodeSealed(body []byte) (signature, sealed []byte, err error) {
	r := sealedReader{rest: body}
	length, err := r.firstPart()
	if err != nil {
		return nil, nil, err
	}
	// The second part has this header alone: what follows is binary.
	line, ok := r.line()
	name, value, _ := pseudoHeader(line)
	if !ok || name != "content-type" || !strings.EqualFold(value, octetStream) {
		return nil, nil, malformedBody("no binary part")
	}
	if signature, ok = r.signature(); !ok {
		return nil, nil, malformedBody("signature too long")
	}
	if sealed, ok = r.take(length); !ok {
		return nil, nil, malformedBody("shorter than stated")
	}
	if !isEnd(r.rest) {
		return nil, nil, malformedBody("longer than stated")
	}
	return signature, sealed, nil
}

// firstPart returns the length of the message that the second part seals.
func (r *sealedReader) firstPart() (length int, err error) {
	if line, ok := r.line(); !ok || !isBoundary(line) {
		return 0, malformedBody("no boundary")
	}
	headers, ok := r.headers(isBoundary)
	if !ok || !isProtocol(headers["content-type"]) {
		return 0, malformedBody("unknown protocol")
	}
	if length, ok = originalLength(headers["originalcontent"]); !ok {
		return 0, malformedBody("no length")
	}
	return length, nil
}

func malformedBody(what string) error {
	return fmt.Errorf("sealed body: %w: %s", ErrMalformed, what)
}

type sealedReader struct{ rest []byte }

// line takes the next line, without its end.
func (r *sealedReader) line() (string, bool) {
	window := r.rest[:min(len(r.rest), maxPseudoHeaderLine)]
	line, _, ok := bytes.Cut(window, []byte(crlf))
	if !ok {
		return "", false
	}
	r.rest = r.rest[len(line)+len(crlf):]
	return string(line), true
}

// headers takes the pseudo headers up to the line for which last is true. Their
// names come in lower case.
func (r *sealedReader) headers(last func(string) bool) (map[string]string, bool) {
	found := make(map[string]string, 2)
	for range maxPseudoHeaders {
		line, ok := r.line()
		if !ok {
			return nil, false
		}
		if last(line) {
			return found, true
		}
		if name, value, ok := pseudoHeader(line); ok {
			found[name] = value
		}
	}
	return nil, false
}

func (r *sealedReader) signature() ([]byte, bool) {
	size, ok := r.take(4)
	if !ok {
		return nil, false
	}
	n := binary.LittleEndian.Uint32(size)
	if n > maxSignature {
		return nil, false
	}
	return r.take(int(n))
}

func (r *sealedReader) take(n int) ([]byte, bool) {
	if n < 0 || n > len(r.rest) {
		return nil, false
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken, true
}

func pseudoHeader(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ":")
	return strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value), ok
}

// originalLength reads the Length of "type=application/soap+xml;charset=UTF-8;Length=123".
func originalLength(v string) (int, bool) {
	for field := range strings.SplitSeq(v, ";") {
		name, number, _ := strings.Cut(field, "=")
		if strings.EqualFold(strings.TrimSpace(name), "Length") {
			n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 31)
			return int(n), err == nil
		}
	}
	return 0, false
}

func isBoundary(line string) bool {
	name, ok := strings.CutPrefix(line, "--")
	return ok && strings.TrimSpace(name) == boundaryName
}

// isEnd accepts the closing delimiter and up to two line breaks.
func isEnd(rest []byte) bool {
	if len(rest) > maxPseudoHeaderLine {
		return false
	}
	end := strings.TrimSuffix(strings.TrimSuffix(string(rest), crlf), crlf)
	name, ok := strings.CutSuffix(end, "--")
	return ok && isBoundary(name)
}
