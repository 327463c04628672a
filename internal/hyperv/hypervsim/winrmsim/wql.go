package winrmsim

import (
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// query is a parsed WQL data query: SELECT list FROM class [WHERE condition].
// ASSOCIATORS OF, REFERENCES OF and event queries are not modelled.
type query struct {
	properties []string // nil: *
	class      string
	where      condition // nil: none
}

// condition is a part of a WHERE clause.
type condition interface {
	// holds reports whether the object fulfils the condition. It is not ok when
	// the condition cannot be asked of this object.
	holds(o *wmi.Object) (holds, ok bool)
	// equalities lists the comparisons that every answer fulfils.
	equalities() []wmi.KeyValue
}

// parseQuery reads a query; a query that WMI would refuse is not ok.
func parseQuery(text string) (query, bool) {
	p := &queryParser{rest: text}
	p.next()
	q, ok := p.query()
	return q, ok && p.kind == tokenEnd
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenString
	tokenSymbol
	tokenBad
)

// maxNesting bounds groups and NOTs within one another: reading them and asking them is recursive.
// WMI refuses queries that are too complex (MS Learn, Querying with WQL), but no source says where
// that begins.
const maxNesting = 64

// queryParser reads a query token by token.
type queryParser struct {
	rest  string
	kind  tokenKind
	text  string // of the current token
	depth int    // groups and NOTs around it
}

// next moves on to the next token.
func (p *queryParser) next() {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		p.kind, p.text = tokenEnd, ""
		return
	}
	switch c := p.rest[0]; {
	case c == '\'' || c == '"':
		p.quoted(c)
	case isWordByte(c):
		n := 1
		for n < len(p.rest) && isWordByte(p.rest[n]) {
			n++
		}
		p.kind, p.text, p.rest = tokenWord, p.rest[:n], p.rest[n:]
	default:
		n := 1
		if len(p.rest) > 1 {
			switch p.rest[:2] {
			case "<>", "<=", ">=", "!=":
				n = 2
			}
		}
		p.kind, p.text, p.rest = tokenSymbol, p.rest[:n], p.rest[n:]
	}
}

func isWordByte(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quoted reads a string literal. A backslash makes the next character literal;
// only a backslash and quotes may follow it.
func (p *queryParser) quoted(quote byte) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case quote:
			p.kind, p.text, p.rest = tokenString, b.String(), p.rest[i+1:]
			return
		case '\\':
			i++
			if i == len(p.rest) || !strings.ContainsRune(`\'"`, rune(p.rest[i])) {
				p.kind = tokenBad
				return
			}
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	p.kind = tokenBad
}

// keyword takes a keyword if it is the current token.
func (p *queryParser) keyword(word string) bool {
	if p.kind != tokenWord || !strings.EqualFold(p.text, word) {
		return false
	}
	p.next()
	return true
}

func (p *queryParser) symbol(s string) bool {
	if p.kind != tokenSymbol || p.text != s {
		return false
	}
	p.next()
	return true
}

func (p *queryParser) word() (string, bool) {
	if p.kind != tokenWord {
		return "", false
	}
	s := p.text
	p.next()
	return s, true
}

func (p *queryParser) query() (q query, ok bool) {
	if !p.keyword("select") {
		return q, false
	}
	if !p.symbol("*") {
		for {
			name, ok := p.word()
			if !ok {
				return q, false
			}
			q.properties = append(q.properties, name)
			if !p.symbol(",") {
				break
			}
		}
	}
	if !p.keyword("from") {
		return q, false
	}
	if q.class, ok = p.word(); !ok {
		return q, false
	}
	if p.keyword("where") {
		q.where, ok = p.either()
	}
	return q, ok
}

// either reads conditions joined by OR.
func (p *queryParser) either() (condition, bool) {
	all, ok := p.joined("or", p.both)
	if len(all) == 1 {
		return all[0], ok
	}
	return orCondition(all), ok
}

// both reads conditions joined by AND.
func (p *queryParser) both() (condition, bool) {
	all, ok := p.joined("and", p.single)
	if len(all) == 1 {
		return all[0], ok
	}
	return andCondition(all), ok
}

// joined reads one condition, or several with a keyword between them.
func (p *queryParser) joined(word string, read func() (condition, bool)) ([]condition, bool) {
	c, ok := read()
	all := []condition{c}
	for ok && p.keyword(word) {
		c, ok = read()
		all = append(all, c)
	}
	return all, ok
}

func (p *queryParser) single() (condition, bool) {
	switch {
	case p.keyword("not"):
		c, ok := p.nested(p.single)
		return notCondition{c}, ok
	case p.symbol("("):
		c, ok := p.nested(p.either)
		return c, ok && p.symbol(")")
	}
	return p.comparison()
}

// nested reads what stands in a group or behind NOT, unless that is too deep.
func (p *queryParser) nested(read func() (condition, bool)) (condition, bool) {
	if p.depth == maxNesting {
		return nil, false
	}
	p.depth++
	c, ok := read()
	p.depth--
	return c, ok
}

// comparison reads name operator value, the name first.
func (p *queryParser) comparison() (condition, bool) {
	name, ok := p.word()
	if !ok {
		return nil, false
	}
	if p.keyword("is") {
		c := comparison{name: name, operator: "null"}
		if p.keyword("not") {
			c.operator = "not null"
		}
		return c, p.keyword("null")
	}
	c := comparison{name: name, operator: p.text}
	switch {
	case p.keyword("like"):
		c.operator = "like"
	case p.symbol("="), p.symbol("<"), p.symbol(">"), p.symbol("<="), p.symbol(">="), p.symbol("<>"), p.symbol("!="):
	default:
		return nil, false
	}
	if p.kind != tokenWord && p.kind != tokenString {
		return nil, false
	}
	c.value, c.quoted = p.text, p.kind == tokenString
	p.next()
	return c, true
}

// Conditions side by side are a list: a chain of pairs would be as deep as a query is long.
type (
	andCondition []condition
	orCondition  []condition
	notCondition struct{ inner condition }
)

func (c andCondition) holds(o *wmi.Object) (holds, ok bool) {
	holds, ok = true, true
	for _, one := range c {
		h, known := one.holds(o)
		holds, ok = holds && h, ok && known
	}
	return holds, ok
}

func (c andCondition) equalities() []wmi.KeyValue {
	var all []wmi.KeyValue
	for _, one := range c {
		all = append(all, one.equalities()...)
	}
	return all
}

func (c orCondition) holds(o *wmi.Object) (holds, ok bool) {
	ok = true
	for _, one := range c {
		h, known := one.holds(o)
		holds, ok = holds || h, ok && known
	}
	return holds, ok
}

func (c orCondition) equalities() []wmi.KeyValue { return nil }

func (c notCondition) holds(o *wmi.Object) (holds, ok bool) {
	h, ok := c.inner.holds(o)
	return !h, ok
}

func (c notCondition) equalities() []wmi.KeyValue { return nil }

// comparison compares a property with a literal.
type comparison struct {
	name, operator, value string
	quoted                bool
}

func (c comparison) equalities() []wmi.KeyValue {
	if c.operator != "=" {
		return nil
	}
	return []wmi.KeyValue{wmi.Key(c.name, c.value)}
}

// holds compares as WMI does: texts without letter case, null with nothing. A
// property that does not exist, an array and a reference cannot be compared.
func (c comparison) holds(o *wmi.Object) (holds, ok bool) {
	p := o.Property(c.name)
	if p == nil || p.Array || p.Type == wmi.TypeReference {
		return false, false
	}
	null := len(p.Values) == 0
	switch c.operator {
	case "null":
		return null, true
	case "not null":
		return !null, true
	}
	if null {
		return false, true
	}
	value := p.Values[0]
	if c.operator == "like" {
		return like(strings.ToLower(c.value), strings.ToLower(value)), c.quoted
	}
	order, ordered := compare(value, c.value, p.Type)
	fits, known := orders[c.operator]
	if !ordered || !known {
		return false, false
	}
	return fits(order), true
}

// orders has the operators that compare, and the order of two values that each holds for.
var orders = map[string]func(order int) bool{
	"=":  func(order int) bool { return order == 0 },
	"<>": func(order int) bool { return order != 0 },
	"!=": func(order int) bool { return order != 0 },
	"<":  func(order int) bool { return order < 0 },
	"<=": func(order int) bool { return order <= 0 },
	">":  func(order int) bool { return order > 0 },
	">=": func(order int) bool { return order >= 0 },
}

// compare orders a value and a literal by the type of the property.
func compare(value, literal string, typ wmi.Type) (order int, ok bool) {
	switch typ {
	case wmi.TypeUint8, wmi.TypeUint16, wmi.TypeUint32, wmi.TypeUint64:
		v, errValue := strconv.ParseUint(value, 10, 64)
		l, errLiteral := strconv.ParseUint(literal, 10, 64)
		if errValue != nil || errLiteral != nil {
			return 0, false
		}
		switch {
		case v < l:
			return -1, true
		case v > l:
			return 1, true
		}
		return 0, true
	case wmi.TypeBoolean, wmi.TypeSint8, wmi.TypeString, wmi.TypeDateTime, wmi.TypeInterval, wmi.TypeReference:
	}
	return strings.Compare(strings.ToLower(value), strings.ToLower(literal)), true
}

// like matches a pattern with % and _.
func like(pattern, s string) bool { return wildcard(pattern, s, '%', '_') }

// wildcard matches a pattern with one character that stands for any text and one
// that stands for any character.
func wildcard(pattern, s string, many, one rune) bool {
	p, t := []rune(pattern), []rune(s)
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == many:
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == one || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == many {
		i++
	}
	return i == len(p)
}
