package wsman

import (
	"errors"
	"net/http"
	"strings"
)

// answer is the answer of the host over a trusted channel.
type answer struct {
	status int
	body   []byte

	// These are set with an error, too.
	node    string // that answered, empty if unknown
	written bool   // the message went out: at least a part of it may have
}

// open opens the envelope of an answer and returns its body. A SOAP fault is a
// [Fault], whatever the HTTP status; another status than 200 is an [HTTPError].
func (a answer) open(messageID string) (*xmlNode, error) {
	root, err := parse(a.body)
	if err != nil {
		return nil, a.bare(err)
	}
	body := root.child("Body", nsSOAP)
	if !root.is("Envelope", nsSOAP) || body == nil {
		return nil, a.bare(malformed("not a SOAP 1.2 envelope"))
	}
	if err := related(root.child("Header", nsSOAP), messageID); err != nil {
		return nil, err
	}
	if fault := body.child("Fault", nsSOAP); fault != nil {
		return nil, decodeFault(a.status, fault)
	}
	return body, a.bare(nil)
}

// bare returns the error of an answer without a fault: its status, or err if
// that is 200.
func (a answer) bare(err error) error {
	if a.status != http.StatusOK {
		return &HTTPError{Status: a.status, vouched: true}
	}
	return err
}

// related checks that the answer is to our message. Some faults do not say
// which message they answer, and the Action is ignored, because servers differ
// in it.
func related(header *xmlNode, messageID string) error {
	relates := header.child("RelatesTo", nsAddressing, nsAddressing1)
	if relates == nil || messageID == "" || strings.EqualFold(relates.value(), messageID) {
		return nil
	}
	return malformed("the answer relates to another message")
}

func malformed(what string) error { return &DecodeError{Err: errors.New(what)} }
