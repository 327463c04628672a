package winrmsim

import (
	"net/http"
	"strings"
)

// isUnauthenticatedIdentify recognizes the one request that needs no logon
// (MS-WSMV 3.1.4.1.23).
func isUnauthenticatedIdentify(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("WSMANIDENTIFY"), "unauthenticated") && r.Header.Get("Authorization") == ""
}

// identify answers Identify. A client that has not logged on does not learn the
// version of the system.
func (s *Server) identify(x *exchange, authenticated bool) {
	if !authenticated {
		e, fail := decoder{serverLimit: s.config.MaxEnvelopeKB << 10}.decode(x.body, "")
		if fail != nil || e.operation != OperationIdentify {
			x.w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	version := "OS: 0.0.0 SP: 0.0 Stack: 3.0"
	if authenticated {
		version = "OS: 10.0.20348 SP: 0.0 Stack: 3.0"
	}
	w := &writer{}
	w.raw(`<s:Envelope xml:lang="`)
	w.escape(s.config.Locale)
	w.raw(`" xmlns:s="`, nsSOAP, `"><s:Header/><s:Body><wsmid:IdentifyResponse xmlns:wsmid="`, nsIdentity, `">`)
	w.element("wsmid:ProtocolVersion", nsWSMan)
	w.element("wsmid:ProductVendor", "Microsoft Corporation")
	w.element("wsmid:ProductVersion", version)
	w.raw("</wsmid:IdentifyResponse></s:Body></s:Envelope>")
	s.send(x, http.StatusOK, w.String())
}
