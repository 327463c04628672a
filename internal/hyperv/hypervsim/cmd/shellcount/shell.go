package main

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Namespaces of the shell protocol.
const (
	nsSOAP       = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsTransfer   = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	nsWSMan      = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
	nsShell      = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
	commandDone  = nsShell + "/CommandState/Done"
)

// maxRequest is MaxEnvelopeSizekb of a host.
const maxRequest = 500 << 10

// action is an operation of the shell protocol and the body that answers it.
type action struct {
	name, uri string
	body      func(c *counter, r *request) string
}

const actionCount = 6

var actions = [actionCount]action{
	{"Create", nsTransfer + "/Create", (*counter).create},
	{"Command", nsShell + "/Command", (*counter).command},
	{"Send", nsShell + "/Send", func(*counter, *request) string { return "<rsp:SendResponse/>" }},
	{"Receive", nsShell + "/Receive", (*counter).receive},
	{"Signal", nsShell + "/Signal", func(*counter, *request) string { return "<rsp:SignalResponse/>" }},
	{"Delete", nsTransfer + "/Delete", func(*counter, *request) string { return "" }},
}

// request holds those parts of a message that an answer needs.
type request struct {
	Action    string `xml:"Header>Action"`
	MessageID string `xml:"Header>MessageID"`
	Receive   struct {
		DesiredStream struct {
			CommandID string `xml:"CommandId,attr"`
		} `xml:"DesiredStream"`
	} `xml:"Body>Receive"`
}

// ServeHTTP implements http.Handler.
func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.requests.Add(1)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if _, _, ok := r.BasicAuth(); !ok {
		c.refused.Add(1)
		w.Header().Set("WWW-Authenticate", `Basic realm="WSMAN"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var m request
	if err := xml.Unmarshal(body, &m); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for i, a := range actions {
		if a.uri != m.Action {
			continue
		}
		c.actions[i].Add(1)
		w.Header().Set("Content-Type", "application/soap+xml;charset=UTF-8")
		_, _ = io.WriteString(w, envelope(a.uri+"Response", m.MessageID, a.body(c, &m)))
		if a.name == "Delete" && c.deleted != nil {
			c.deleted()
		}
		return
	}
	w.WriteHeader(http.StatusInternalServerError) // a fault says no more about an action that shells do not have
}

func (c *counter) create(*request) string {
	id := c.id()
	return `<x:ResourceCreated><a:Address>` + nsAddressing + `/role/anonymous</a:Address><a:ReferenceParameters>` +
		`<w:ResourceURI>` + nsShell + `/cmd</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">` + id + `</w:Selector></w:SelectorSet>` +
		`</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>` + id + `</rsp:ShellId></rsp:Shell>`
}

func (c *counter) command(*request) string {
	return `<rsp:CommandResponse><rsp:CommandId>` + c.id() + `</rsp:CommandId></rsp:CommandResponse>`
}

// receive gives all output at once and says that the command has ended.
func (c *counter) receive(r *request) string {
	id := escape(r.Receive.DesiredStream.CommandID)
	stream := func(name, text string) string {
		return fmt.Sprintf(`<rsp:Stream Name="%s" CommandId="%s">%s</rsp:Stream><rsp:Stream Name="%s" CommandId="%s" End="true"></rsp:Stream>`,
			name, id, base64.StdEncoding.EncodeToString([]byte(text)), name, id)
	}
	return `<rsp:ReceiveResponse>` + stream("stdout", c.output) + stream("stderr", "") +
		`<rsp:CommandState CommandId="` + id + `" State="` + commandDone + `"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>`
}

// id is a new identifier in the form of a GUID.
func (c *counter) id() string { return fmt.Sprintf("00000000-0000-4000-8000-%012X", c.ids.Add(1)) }

func envelope(action, relatesTo, body string) string {
	return `<s:Envelope xml:lang="en-US" xmlns:s="` + nsSOAP + `" xmlns:a="` + nsAddressing + `" xmlns:x="` + nsTransfer + `" xmlns:w="` + nsWSMan + `" xmlns:rsp="` + nsShell + `">` +
		`<s:Header><a:Action>` + action + `</a:Action><a:MessageID>uuid:00000000-0000-4000-8000-000000000001</a:MessageID>` +
		`<a:To>` + nsAddressing + `/role/anonymous</a:To><a:RelatesTo>` + escape(relatesTo) + `</a:RelatesTo></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // memory does not fail
	return b.String()
}
