package winrmsim

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// answer is a successful answer before it becomes an envelope.
type answer struct {
	action string
	body   string
}

// reply makes the envelope of an answer or a fault and sends it.
func (s *Server) reply(x *exchange, a *answer, fail *wmi.Failure) {
	m := message{id: newUUID(), relatesTo: x.envelope.messageID, locale: s.config.Locale}
	status := http.StatusOK
	if fail != nil {
		form := s.config.FaultForm
		if (x.effect.kind == effectFault || x.effect.kind == effectFaultAfter) && x.effect.form != FaultFormAny {
			form = x.effect.form
		}
		f := faultText{Failure: *fail, form: form, locale: s.config.Locale, machine: s.config.ComputerName}
		if x.nested != 0 {
			f.nested = faultReason(x.nested, s.config.Locale)
		}
		status, x.faultCode = http.StatusInternalServerError, fail.Code
		m.action, m.body = f.action(), f.body()
		m.transfer, m.enumerate, m.microsoft = true, true, true
	} else {
		m.action, m.body = a.action, a.body
		m.declare(x.envelope.operation)
	}
	if x.effect.kind == effectRelatesTo {
		m.relatesTo = newUUID()
	}
	s.send(x, status, m.String())
}

// declare chooses the prefixes that hosts declare on answers to the operation.
func (m *message) declare(o Operation) {
	switch o {
	case OperationGet:
		m.transfer, m.microsoft = true, true
	case OperationEnumerate, OperationPull, OperationRelease:
		m.enumerate = true
	case OperationInvoke:
		m.microsoft, m.activity = true, true
	case OperationIdentify, OperationHandshake:
	}
}

// send seals the answer if the request was sealed, and writes it.
func (s *Server) send(x *exchange, status int, text string) {
	if s.config.Answer != nil {
		text = s.config.Answer(string(x.body), text)
	}
	if x.effect.kind == effectOversized {
		text += strings.Repeat(" ", max(0, x.effect.size-len(text)))
	}
	body, contentType := []byte(text), "application/soap+xml;charset=UTF-8"
	if x.envelope != nil && x.envelope.wide {
		// Unverified on a real host (utf16-answer): that the answer to UTF-16 is UTF-16.
		body, contentType = fromUTF8(text), "application/soap+xml;charset=UTF-16"
	}
	if x.sealed && x.effect.kind != effectUnsealed {
		signature, data, err := x.c.context.wrap(body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		part := sealedPart{protocol: sealProtocol(x.c.scheme), content: contentType, length: len(body), signature: signature, data: data}
		body, contentType = part.encode(), part.contentType()
		body = x.distortSealed(body, len(data))
	}
	s.write(x, status, contentType, body)
}

// write sends the answer, or what the rule makes of it.
func (s *Server) write(x *exchange, status int, contentType string, body []byte) {
	switch x.effect.kind {
	case effectContentType:
		contentType = x.effect.text
	case effectGarbage:
		body = []byte("\x00\xff\x17this is not a message\xfe<")
	case effectDelay:
		x.wait(x.effect.delay)
	case effectHang:
		x.hang()
	case effectResetAfter:
		x.reset()
	default: // the other effects were carried out before, or follow below
	}
	if x.recorded != nil {
		s.record.finish(x.recorded, status, x.faultCode)
	}
	x.w.Header().Set("Content-Type", contentType)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if x.effect.kind == effectCut {
		_, _ = x.w.Write(body[:len(body)/2])
		_ = http.NewResponseController(x.w).Flush()
		panic(http.ErrAbortHandler)
	}
	// An error means that the client has gone; there is nothing to be done about it.
	_, _ = x.w.Write(body)
}

// finish answers with a status alone.
func (s *Server) finish(x *exchange, status int) {
	if x.recorded != nil {
		s.record.finish(x.recorded, status, 0)
	}
	x.w.WriteHeader(status)
}
