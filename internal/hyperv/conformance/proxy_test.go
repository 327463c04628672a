package conformance_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// proxyName is the name on the certificate of the proxy.
const proxyName = "example.com"

// proxy stands between the kit and a simulated host, on https with Basic, where
// nothing is sealed and answers can be changed. It opens no socket, so that it
// works in a testing/synctest bubble.
func proxy(t *testing.T, sim *hypervsim.Host, b breakage) conformance.Options {
	t.Helper()
	return proxyAsking(t, sim, nil, b)
}

// proxyAsking is a proxy that changes requests too, unless ask is nil. A
// request for which ask returns a reply does not reach the simulated host.
func proxyAsking(t *testing.T, sim *hypervsim.Host, ask func(request string) (string, *reply), b breakage) conformance.Options {
	t.Helper()
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: sim.Addr()})
	forward.Transport = &http.Transport{DialContext: sim.Dial, DisableKeepAlives: true}
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	forward.ModifyResponse = func(resp *http.Response) error {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		request, _ := resp.Request.Context().Value(requestKey{}).(string)
		r := &reply{request: resp.Request.Method + " " + resp.Request.URL.Path + " " + request, status: resp.StatusCode, body: string(body)}
		if b != nil {
			b(r)
		}
		resp.StatusCode, resp.Body = r.status, io.NopCloser(strings.NewReader(r.body))
		resp.ContentLength = int64(len(r.body))
		resp.Header.Set("Content-Length", strconv.Itoa(len(r.body)))
		return nil
	}
	front := newPipe()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		length, text := r.ContentLength, string(body)
		if ask != nil {
			asked, answer := ask(text)
			if answer != nil {
				w.Header().Set("Content-Type", "application/soap+xml;charset=UTF-8")
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
				return
			}
			if asked != text {
				text, length = asked, int64(len(asked))
			}
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(text))), length
		forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, text)))
	}))
	_ = server.Listener.Close()
	server.Listener = front
	server.StartTLS()
	t.Cleanup(server.Close)
	o := options(sim, ".vhdx")
	o.Host = proxyName
	o.Config.Auth, o.Config.HTTPS, o.Config.Port, o.Config.Dial = hyperv.AuthBasic, true, 0, front.dial
	o.Config.CACertificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return o
}

type requestKey struct{}

// proxied adds to opts the options that a simulated host behind a proxy needs.
func proxied(opts ...hypervsim.Option) []hypervsim.Option {
	return arrange(".vhdx", append([]hypervsim.Option{
		hypervsim.WithBasic(), hypervsim.WithAllowUnencrypted(true), hypervsim.WithoutListener(),
	}, opts...)...)
}

// pipe is a listener without a socket.
type pipe struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipe() *pipe { return &pipe{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Addr implements net.Listener.
func (*pipe) Addr() net.Addr { return &net.UnixAddr{Name: proxyName, Net: "pipe"} }

// reply is an answer on its way from the simulated host to the kit.
type reply struct {
	request string // the envelope that it answers
	status  int
	body    string
}

// breakage changes answers.
type breakage func(r *reply)

// swap replaces a text in every answer.
func swap(from, to string) breakage {
	return func(r *reply) { r.body = strings.ReplaceAll(r.body, from, to) }
}

// swapFor replaces a text in the answers to requests that hold another.
func swapFor(asked, from, to string) breakage {
	return func(r *reply) {
		if strings.Contains(r.request, asked) {
			r.body = strings.ReplaceAll(r.body, from, to)
		}
	}
}

// without drops what matches from every answer.
func without(pattern string) breakage {
	re := regexp.MustCompile(`(?s)` + pattern)
	return func(r *reply) { r.body = re.ReplaceAllString(r.body, "") }
}

// fails turns the answers to requests that hold a text into another status.
func fails(asked string, status int) breakage {
	return func(r *reply) {
		if strings.Contains(r.request, asked) {
			r.status, r.body = status, ""
		}
	}
}

// returns replaces the return value of a method; its job is dropped.
func returns(method string, value int) breakage {
	output := regexp.MustCompile(`(?s)<p:ReturnValue>\d+</p:ReturnValue>`)
	job := regexp.MustCompile(`(?s)<p:Job .*?</p:Job>|<p:Job [^>]*/>`)
	return func(r *reply) {
		if strings.Contains(r.body, method+"_OUTPUT") {
			r.body = job.ReplaceAllString(output.ReplaceAllString(r.body, "<p:ReturnValue>"+strconv.Itoa(value)+"</p:ReturnValue>"), "")
		}
	}
}

// asks narrows a breakage to requests that hold a text.
func asks(text string, b breakage) breakage {
	return func(r *reply) {
		if strings.Contains(r.request, text) {
			b(r)
		}
	}
}

const wsmanFault = `<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="2150858793"/>`

// faulty turns an answer into a fault.
func faulty(r *reply) { faultWith(2150858793)(r) }

// faultWith turns an answer into a fault with a code.
func faultWith(code uint32) breakage {
	return func(r *reply) {
		r.status = http.StatusInternalServerError
		r.body = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header/><s:Body><s:Fault>` +
			`<s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>a:EndpointUnavailable</s:Value></s:Subcode></s:Code><s:Detail>` +
			strings.Replace(wsmanFault, "2150858793", fmt.Sprint(code), 1) + `</s:Detail></s:Fault></s:Body></s:Envelope>`
	}
}

// status500 drops the fault with a code.
func status500(code string) breakage {
	return func(r *reply) {
		if strings.Contains(r.body, code) {
			r.body = ""
		}
	}
}

// returnsOnly replaces one return value of a method by another.
func returnsOnly(method string, from, to int) breakage {
	return func(r *reply) {
		if strings.Contains(r.body, method+"_OUTPUT") {
			r.body = strings.ReplaceAll(r.body, fmt.Sprintf("<p:ReturnValue>%d<", from), fmt.Sprintf("<p:ReturnValue>%d<", to))
		}
	}
}

// returnsAlways replaces every return value of a method and drops its output.
func returnsAlways(method string, value int) breakage { return returns(method, value) }

// wrapJob puts an EndpointReference into the reference to a job.
func wrapJob(r *reply) {
	if !strings.Contains(r.body, "CompactVirtualHardDisk_OUTPUT") {
		return
	}
	r.body = strings.Replace(r.body, "<a:Address>", "<a:EndpointReference><a:Address>", 1)
	r.body = strings.Replace(r.body, "</p:Job>", "</a:EndpointReference></p:Job>", 1)
}

// after breaks answers from the first request on that holds a text.
func after(text string, breaks breakage) breakage {
	var asked bool
	return func(r *reply) {
		asked = asked || strings.Contains(r.request, text)
		if asked {
			breaks(r)
		}
	}
}
