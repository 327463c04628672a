package conformance

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// mask replaces everything in a text that could tell one host from another.
// What is not known to be harmless is replaced: if a text had to be recognized
// as a secret first, it would get through.
type mask struct {
	known  []identifier      // the longest first
	names  map[string]string // replacements by lower-case original
	counts map[string]int
}

// identifier is a text that names something, and the form in which it is found.
type identifier struct {
	text string
	form *regexp.Regexp
}

// harmlessValue matches the forms of values that every host has in common.
var harmlessValue = regexp.MustCompile(`^(` + strings.Join([]string{
	`-?\d{1,20}`, // numbers
	`(?i:true|false)`,
	`-?P[\dYMDTHS.]*`, // intervals
	`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?`,
	`\d{8,14}\.\d{6}[+:-]\d{3}`,
	`[a-z]{1,4}:[A-Z][A-Za-z]{1,40}`,                                      // names of faults
	`(Msvm|Win32|CIM|MSFT)_[A-Za-z]{1,60}`,                                // classes
	`vhdsvc|OK|Microsoft Corporation|Automatic|cy-GB|NTFS|ReFS|[A-Za-z]:`, //
	`Microsoft(:[A-Za-z][A-Za-z0-9 -]{0,40}){1,5}`,                        // kinds of settings
	`OS: [\d.]+ SP: [\d.]+ Stack: [\d.]+`,
	`\d+\.\d+\.\d+`, // versions; an address has one number more
}, "|") + `)$`)

var (
	schemaURI = regexp.MustCompile(`^http://(schemas\.(xmlsoap|dmtf|microsoft)\.(org|com)|www\.w3\.org)/[\w./#*-]*$`)
	plainAttr = regexp.MustCompile(`^[\w.:/#*-]{0,200}$`)
	guidForm  = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	pathForm  = regexp.MustCompile(`(?i)([a-z]:\\|\\\\)[^<>"'|\r\n;]*`)
	// instanceID names a setting of a machine by identifiers and numbers alone.
	instanceID = regexp.MustCompile(`^Microsoft:[0-9A-Fa-f-]{36}(\\([0-9A-Fa-f-]{36}|\d{1,3}|[A-Z]))*$`)
	ipv4Form   = regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
)

// keptAttributes may keep their values where these are plain.
var keptAttributes = map[string]bool{
	"Name": true, "NAME": true, "TYPE": true, "CLASSNAME": true, "PROPAGATED": true, "Code": true, "Dialect": true,
	"mustUnderstand": true, "lang": true, "type": true, "nil": true, "IsCIM_Error": true,
}

// newMask makes a mask that knows the identifiers in the configuration and in
// the answers.
func (k *kit) newMask() *mask {
	m := &mask{names: map[string]string{}, counts: map[string]int{}}
	k.lookForNames()
	for id := range k.identifiers {
		if len(id) >= 2 && !vocabulary()[strings.ToLower(id)] && !harmlessValue.MatchString(id) && !isPlainPath(id) {
			m.known = append(m.known, identifier{id, wordForm(id)})
		}
	}
	slices.SortFunc(m.known, func(a, b identifier) int {
		return cmp.Or(cmp.Compare(len(b.text), len(a.text)), strings.Compare(a.text, b.text))
	})
	return m
}

// lookForNames collects the identifiers of the configuration and of the answers
// that have come since the last time.
func (k *kit) lookForNames() {
	list := k.seen(k.searched)
	if k.identifiers == nil {
		k.identifiers = map[string]bool{}
		list = append(list, k.configured()...)
	}
	k.searched = k.tape.len()
	for _, id := range list {
		k.identifiers[strings.TrimSpace(id)] = true
	}
}

// configured lists the identifiers of the configuration, without the password.
func (k *kit) configured() []string {
	o := k.options
	list := []string{
		o.account(), o.Config.TLSServerName, o.Config.Kerberos.Realm, o.Config.Kerberos.SPN, o.Config.Kerberos.CCachePath,
		o.Config.Kerberos.KeytabPath, o.Config.Kerberos.ConfigPath, o.Disk, o.Scratch,
	}
	if o.Fixtures != nil {
		list = append(list, o.Fixtures.Formatted)
		for _, m := range o.Fixtures.Machines {
			list = append(list, m.Name, m.Disk, m.Parent)
		}
		for _, d := range o.Fixtures.Disks {
			list = append(list, d.Path)
		}
	}
	list = append(list, accountParts(o.account())...)
	return append(list, hostParts(o.Host)...)
}

// account returns the name of the account that logs on.
func (o Options) account() string {
	if o.Config.Auth == hyperv.AuthWindows {
		return secure.CurrentUserName()
	}
	return o.Config.Username
}

func accountParts(user string) []string {
	return strings.FieldsFunc(user, func(r rune) bool { return r == '\\' || r == '@' })
}

func hostParts(host string) []string {
	host = strings.Trim(host, "[]")
	if net.ParseIP(host) != nil {
		return []string{host}
	}
	label, _, _ := strings.Cut(host, ".")
	return []string{host, label}
}

// naming are the properties and attributes that name the computer, its machines
// and its accounts.
var naming = map[string]bool{"CSName": true, "SystemName": true, "Owner": true, "Machine": true, "ElementName": true}

// seen lists the identifiers in the answers from number n on.
func (k *kit) seen(n int) []string {
	var list []string
	add := func(s string) { list = append(append(list, s), accountParts(s)...) }
	var walk func(e *element)
	walk = func(e *element) {
		if naming[e.XMLName.Local] {
			add(e.value())
		}
		for _, a := range e.Attrs {
			if naming[a.Name.Local] {
				add(a.Value)
			}
		}
		for i := range e.Children {
			walk(&e.Children[i])
		}
	}
	for _, x := range k.tape.since(n) {
		if root := parse(x.answer); root != nil {
			walk(root)
		}
	}
	return list
}

// alias returns the replacement of a value, always the same for the same value.
func (m *mask) alias(kind, value string) string {
	key := kind + "\x00" + strings.ToLower(value)
	if _, ok := m.names[key]; !ok {
		m.counts[kind]++
		m.names[key] = fmt.Sprintf("%s-%d", kind, m.counts[kind])
		if kind == "guid" {
			m.names[key] = fmt.Sprintf("00000000-0000-4000-8000-%012d", m.counts[kind])
		}
	}
	return m.names[key]
}

// line takes identifiers, paths and addresses out of a line of our own making.
func (m *mask) line(s string) string {
	s = guidForm.ReplaceAllStringFunc(s, func(id string) string { return m.alias("guid", id) })
	s = pathForm.ReplaceAllStringFunc(s, func(path string) string { return m.path(path) })
	s = ipv4Form.ReplaceAllStringFunc(s, func(ip string) string { return m.alias("address", ip) })
	for _, id := range m.known {
		if containsFold(s, id.text) {
			s = id.form.ReplaceAllStringFunc(s, func(string) string { return m.alias("name", id.text) })
		}
	}
	return s
}

// value returns a text from the wire in the form in which it may be recorded.
func (m *mask) value(s string) string {
	trimmed := strings.TrimSpace(s)
	switch {
	case trimmed == "":
		return s
	case strings.HasPrefix(trimmed, "<INSTANCE"):
		return m.markup(trimmed)
	case guidForm.FindString(strings.TrimPrefix(trimmed, "uuid:")) == strings.TrimPrefix(trimmed, "uuid:"):
		return m.line(trimmed)
	case schemaURI.MatchString(trimmed), strings.HasPrefix(trimmed, "SELECT "):
		return m.line(trimmed)
	case harmlessValue.MatchString(trimmed):
		return m.line(trimmed)
	case wholePath.MatchString(trimmed):
		return m.path(trimmed)
	case instanceID.MatchString(trimmed):
		return guidForm.ReplaceAllStringFunc(trimmed, func(id string) string { return m.alias("guid", id) })
	}
	return m.alias("text", trimmed)
}

// markup rewrites an XML document token by token; a text that is not XML is
// dropped.
func (m *mask) markup(text string) string {
	d := xml.NewDecoder(strings.NewReader(text))
	var b strings.Builder
	for {
		token, err := d.RawToken()
		if err == io.EOF { //nolint:errorlint // the decoder returns it as it is
			return b.String()
		}
		if err != nil {
			return fmt.Sprintf("(%d bytes that are no XML)", len(text))
		}
		switch t := token.(type) {
		case xml.StartElement:
			b.WriteString("<" + rawName(t.Name))
			for _, a := range t.Attr {
				b.WriteString(" " + rawName(a.Name) + `="` + escape(m.attribute(a)) + `"`)
			}
			b.WriteString(">")
		case xml.EndElement:
			b.WriteString("</" + rawName(t.Name) + ">")
		case xml.CharData:
			b.WriteString(escape(m.value(string(t))))
		}
	}
}

func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func (m *mask) attribute(a xml.Attr) string {
	switch {
	case a.Name.Space == "xmlns" || a.Name.Local == "xmlns":
		if schemaURI.MatchString(a.Value) {
			return m.line(a.Value)
		}
	case keptAttributes[a.Name.Local] && plainAttr.MatchString(a.Value):
		return m.line(a.Value)
	}
	return m.value(a.Value)
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// wordForm finds an identifier as a word of its own.
func wordForm(id string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|\b)` + regexp.QuoteMeta(id) + `(\b|$)`)
}

// vocabulary holds the words that every report contains: an account that is
// called Path does not stand out among them.
var vocabulary = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	add := func(s string) {
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
			words[strings.ToLower(w)] = true
		}
	}
	for _, c := range claims.All() {
		add(c.ID + " " + c.Text + " " + c.Untestable)
	}
	add(fixedWords)
	return words
})

// fixedWords are the other words of reports and of the protocol.
const fixedWords = `hyperv conformance kit host windows version namespace product vendor microsoft corporation findings held contradicted not tested
 claim evidence documented inferred open result seen why duration ms exchanges started summary recordings number operation request answer error text name path address guid
 root virtualization cimv2 v2 wbem wsman wmi schemas dmtf org com xmlsoap www w3 http status return value job state code completion identify get
 invoke enumerate pull release send soap envelope header body local over https ntlm kerberos basic certificate logon exchanges at us method post
 content type chunked handshake clear broken seal bytes application xml plain multipart encrypted unknown`
