package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// Recordings holds the messages of a run. Everything in them that could tell
// one host from another is replaced.
type Recordings struct {
	Kit            string      `json:"kit"`
	WindowsVersion string      `json:"windows_version,omitempty"`
	HTTPS          bool        `json:"https"`
	Auth           hyperv.Auth `json:"auth"`
	Exchanges      []Recording `json:"exchanges"`
}

// Recording is a request and its answer.
type Recording struct {
	// Number counts from 1; findings name it.
	Number    int    `json:"number"`
	Operation string `json:"operation"`
	// AtMicros is when the request was sent, in microseconds since the first
	// one.
	AtMicros       int64 `json:"at_us"`
	DurationMillis int64 `json:"duration_ms"`
	// HTTP is set when the request was sent without the client.
	HTTP    *RecordedHTTP `json:"http,omitempty"`
	Request string        `json:"request,omitempty"`
	Answer  string        `json:"answer,omitempty"`
}

// At returns when the request was sent, since the first one.
func (r Recording) At() time.Duration { return time.Duration(r.AtMicros) * time.Microsecond }

// RecordedHTTP is an HTTP request that the kit sent without the client, and its
// outcome.
type RecordedHTTP struct {
	Method      string `json:"method"`
	Path        string `json:"path"`
	ContentType string `json:"content_type,omitempty"`
	// Identify says that the header WSMANIDENTIFY asked for no logon.
	Identify bool `json:"identify,omitempty"`
	Chunked  bool `json:"chunked,omitempty"`
	// UTF16 says that the request was sent in UTF-16; the recording holds the
	// text before it was encoded.
	UTF16 bool `json:"utf16,omitempty"`
	// Logon says what the request has to do with a logon.
	Logon Logon `json:"logon,omitempty"`
	// Status is the HTTP status of the answer.
	Status int `json:"status"`
	// AnswerBytes is the length of its body.
	AnswerBytes int `json:"answer_bytes"`
}

// Logon says what a request has to do with a logon.
type Logon string

// The kinds of requests.
const (
	// Stranger: sent without a logon.
	Stranger Logon = ""
	// Handshake: carries a token of a logon.
	Handshake Logon = "handshake"
	// Clear: sent without a seal on a connection with a logon.
	Clear Logon = "clear"
	// BrokenSeal: sealed on a connection with a logon, and damaged.
	BrokenSeal Logon = "broken seal"
)

// recordings masks what is on the tape.
func (r *Report) recordings() Recordings {
	k := r.kit
	m := k.newMask()
	all := Recordings{
		Kit: r.Kit, WindowsVersion: r.Host.WindowsVersion, HTTPS: k.options.Config.HTTPS, Auth: k.options.Config.Auth,
		Exchanges: []Recording{},
	}
	tape := k.tape.since(0)
	for n, e := range tape {
		all.Exchanges = append(all.Exchanges, Recording{
			Number: n + 1, Operation: m.line(e.operation), AtMicros: e.start.Sub(tape[0].start).Microseconds(), DurationMillis: millis(e.took),
			HTTP: e.http, Request: m.markup(e.request), Answer: m.markup(e.answer),
		})
	}
	return all
}

// ReadRecordings reads a file of recordings.
func ReadRecordings(name string) (*Recordings, error) {
	var r Recordings
	return &r, readJSON(name, &r)
}

// ReadReport reads the report of a run.
func ReadReport(name string) (*Report, error) {
	var r Report
	if err := readJSON(name, &r); err != nil {
		return nil, err
	}
	if r.Findings == nil {
		return nil, fmt.Errorf("%s: not a report: no findings", name)
	}
	return &r, nil
}

func readJSON(name string, into any) error {
	content, err := os.ReadFile(name) //nolint:gosec // G304: the user names the file
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
