package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const (
	// An idle connection is expected to be closed between idleLeast and idleMost; idleLimit is how
	// long the kit waits for that.
	idleLeast = 110 * time.Second
	idleMost  = 150 * time.Second
	idleLimit = 170 * time.Second
)

// idleConnection sends one request and then waits for the host to close.
func (k *kit) idleConnection(ctx context.Context) verdict {
	conn, _, err := k.dialConn(ctx)
	if err != nil {
		return trouble(err)
	}
	defer conn.Close() //nolint:errcheck // the host may have closed it
	start := time.Now()
	if err := conn.SetDeadline(start.Add(idleLimit)); err != nil {
		return trouble(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := fmt.Fprintf(conn, "GET /hyperv-conformance HTTP/1.1\r\nHost: %s\r\n\r\n", k.wire.Endpoint.Host); err != nil {
		return trouble(err)
	}
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return notTested("the first request was not answered")
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil || resp.Close {
		return notTested("the host closes the connection with the answer")
	}
	start = time.Now()
	_, err = answers.ReadByte()
	if deadline, ok := errors.AsType[net.Error](err); ok && deadline.Timeout() {
		return contradicted("still open after %s", idleLimit)
	}
	if ctx.Err() != nil || err == nil {
		return notTested("the connection was not left alone")
	}
	took := time.Since(start)
	return when(took >= idleLeast && took <= idleMost, "closed after %d s", int(took.Seconds()))
}

// utf16Answer sends a message in UTF-16 on a connection with a logon. The message is not sealed,
// and so it is only sent over https: a sealed message declares its content to be UTF-8.
func (k *kit) utf16Answer(ctx context.Context) verdict {
	if !k.wire.Endpoint.HTTPS || k.wire.Mechanism == nil {
		return notTested("only asked over https with NTLM or Kerberos")
	}
	p, err := k.sealedHit(ctx, func(secure.Context) (hit, error) {
		return hit{contentType: "application/soap+xml", body: k.harmless(), utf16: true, after: Clear}, nil
	})
	if err != nil {
		return trouble(err)
	}
	isUTF16 := bytes.Contains(p.body, []byte("E\x00n\x00v\x00e\x00l\x00o\x00p\x00e\x00"))
	return when(p.status == http.StatusOK && isUTF16, "HTTP status %d, the answer in UTF-16 %t, told by the type %t",
		p.status, isUTF16, strings.Contains(strings.ToLower(p.header.Get("Content-Type")), "utf-16"))
}

// inUTF16 encodes a text in little-endian UTF-16 with a byte order mark.
func inUTF16(s string) []byte {
	b := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}
