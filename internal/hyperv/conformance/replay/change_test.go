package replay_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/replay"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// spot is an element of an answer, by the positions of its parts in the text.
type spot struct {
	name                       string
	start, open, closing, done int // <name ...>, text, </name>
	children                   []*spot
	parent                     *spot
}

// spots lists the elements below the Body of an envelope.
func spots(text string) []*spot {
	d := xml.NewDecoder(strings.NewReader(text))
	var all []*spot
	top := &spot{}
	for {
		before := int(d.InputOffset())
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil
		}
		switch t := token.(type) {
		case xml.StartElement:
			s := &spot{name: t.Name.Local, start: before, open: int(d.InputOffset()), parent: top}
			top.children = append(top.children, s)
			top = s
			all = append(all, s)
		case xml.EndElement:
			top.closing, top.done = before, int(d.InputOffset())
			top = top.parent
		}
	}
	i := slices.IndexFunc(all, func(s *spot) bool { return s.name == "Body" })
	if i < 0 {
		return nil
	}
	return all[i+1:]
}

func (s *spot) isLeaf() bool { return len(s.children) == 0 }

// change is one change of one answer.
type change struct {
	kind     string
	exchange int
	// name is an element on the path of the difference.
	name string
	to   string // the whole answer
	what string
	in   []string // the elements around it
}

var (
	numberForm = regexp.MustCompile(`^\d{1,9}$`)
	codeNames  = regexp.MustCompile(`^(ReturnValue|ErrorCode|JobCompletionStatusCode|error_Code|StatusCode)$`)
	stateNames = regexp.MustCompile(`State$|Status$|^Access$|Status#`)
	timeText   = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT.*|-?P[\dDTHMS.]+)$`)
	codeAttr   = regexp.MustCompile(` Code="(\d+)"`)
)

// changer makes a change of one kind at a spot; false when the spot is not for it.
type changer func(text string, s *spot, r *rand.Rand) (string, bool)

var changers = map[string]changer{
	"name": func(text string, s *spot, _ *rand.Rand) (string, bool) {
		opening, closing := text[s.start:s.open], text[s.closing:s.done]
		return text[:s.start] + strings.Replace(opening, s.name, s.name+"X", 1) + text[s.open:s.closing] +
			strings.Replace(closing, s.name, s.name+"X", 1) + text[s.done:], true
	},
	"order": func(text string, s *spot, _ *rand.Rand) (string, bool) {
		i := slices.Index(s.parent.children, s)
		if i+1 >= len(s.parent.children) || s.parent.children[i+1].name == s.name {
			return "", false
		}
		next := s.parent.children[i+1]
		return text[:s.start] + text[next.start:next.done] + text[s.done:next.start] + text[s.start:s.done] + text[next.done:], true
	},
	"nil": func(text string, s *spot, _ *rand.Rand) (string, bool) {
		opening := text[s.start:s.open]
		switch {
		case strings.Contains(opening, ` xsi:nil="true"`):
			return text[:s.start] + strings.Replace(opening, ` xsi:nil="true"`, "", 1) + "7" + text[s.closing:], true
		case !s.isLeaf() || !strings.HasPrefix(opening, "<p:"):
			return "", false
		}
		return text[:s.open-1] + ` xsi:nil="true">` + text[s.closing:], true
	},
	"code": func(text string, s *spot, _ *rand.Rand) (string, bool) {
		if opening := text[s.start:s.open]; codeAttr.MatchString(opening) {
			return text[:s.start] + codeAttr.ReplaceAllStringFunc(opening, func(a string) string {
				n, _ := strconv.ParseInt(codeAttr.FindStringSubmatch(a)[1], 10, 64)
				return fmt.Sprintf(` Code="%d"`, n+1)
			}) + text[s.open:], true
		}
		if !s.isLeaf() || !codeNames.MatchString(s.name) {
			return "", false
		}
		n, _ := strconv.Atoi(text[s.open:s.closing])
		return text[:s.open] + strconv.Itoa(n+1) + text[s.closing:], true
	},
	"state": func(text string, s *spot, r *rand.Rand) (string, bool) {
		if !s.isLeaf() || !stateNames.MatchString(s.name) || !numberForm.MatchString(text[s.open:s.closing]) {
			return "", false
		}
		n, _ := strconv.Atoi(text[s.open:s.closing])
		return text[:s.open] + strconv.Itoa(n+1+r.IntN(4)) + text[s.closing:], true
	},
	"time": func(text string, s *spot, r *rand.Rand) (string, bool) {
		value := text[s.open:s.closing]
		if !s.isLeaf() || !timeText.MatchString(value) {
			return "", false
		}
		forms := []func(string) string{
			func(v string) string { return regexp.MustCompile(`\d(Z|S|H|M)?$`).ReplaceAllString(v, "9$1") },
			func(v string) string { return strings.Replace(strings.Replace(v, "Z", "+01:00", 1), "P0D", "P1D", 1) },
			func(v string) string { return strings.Replace(strings.Replace(v, "-01T", "-03T", 1), "0M", "3M", 1) },
			func(string) string { return "20000101000000.000000-000" },
		}
		changed := forms[r.IntN(len(forms))](value)
		return text[:s.open] + changed + text[s.closing:], changed != value
	},
	"value": func(text string, s *spot, _ *rand.Rand) (string, bool) {
		value := text[s.open:s.closing]
		switch {
		case !s.isLeaf() || value == "" || timeText.MatchString(value) || codeNames.MatchString(s.name) || stateNames.MatchString(s.name):
			return "", false
		case strings.HasPrefix(value, "&lt;INSTANCE"):
			return text[:s.open] + strings.Replace(value, "VALUE&gt;", "VALUE&gt;1", 1) + text[s.closing:], true
		}
		return text[:s.open] + html.EscapeString(html.UnescapeString(value)) + "1" + text[s.closing:], true
	},
}

// changes chooses n changes, evenly of all kinds, each in another exchange as
// long as there are enough.
func changes(rec *conformance.Recordings, n int, r *rand.Rand) []change {
	var kinds []string
	for kind := range changers {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	used := map[int]int{}
	var all []change
	for tries := 0; len(all) < n && tries < 100*n; tries++ {
		x := rec.Exchanges[r.IntN(len(rec.Exchanges))]
		here := spots(x.Answer)
		if len(here) == 0 || used[x.Number] > n/len(rec.Exchanges) {
			continue
		}
		s, kind := here[r.IntN(len(here))], kinds[len(all)%len(kinds)]
		to, ok := changers[kind](x.Answer, s, r)
		if !ok {
			continue
		}
		name := s.name
		if kind == "order" {
			name = s.parent.name
		}
		var in []string
		for around := s.parent; around != nil; around = around.parent {
			in = append(in, around.name)
		}
		used[x.Number]++
		all = append(all, change{kind: kind, exchange: x.Number, name: name, to: to, what: strings.TrimSpace(x.Answer[s.start:s.done]), in: in})
	}
	return all
}

// explained returns the reason that the replay gives for a spot that it compares in part only.
func explained(r *replay.Result, c change) replay.Reason {
	for _, u := range r.Uncompared {
		if u.Exchange == c.exchange && strings.Contains(u.Path, c.name) {
			return u.Reason
		}
	}
	return ""
}

func isFound(r *replay.Result, c change) bool {
	return slices.ContainsFunc(r.Differences, func(d replay.Difference) bool {
		return d.Exchange == c.exchange && strings.Contains(d.Path, c.name)
	})
}

// isMissed reports whether an element around the change has no counterpart: the entries of lists
// are paired by their names.
func isMissed(r *replay.Result, c change) bool {
	return slices.ContainsFunc(r.Differences, func(d replay.Difference) bool {
		last, _, _ := strings.Cut(d.Path[strings.LastIndexByte(d.Path, '/')+1:], "#")
		return d.Exchange == c.exchange && (d.Kind == replay.Missing || d.Kind == replay.Extra) && slices.Contains(c.in, last)
	})
}

// with returns recordings with some answers changed.
func with(rec *conformance.Recordings, some ...change) *conformance.Recordings {
	changed := *rec
	changed.Exchanges = slices.Clone(rec.Exchanges)
	for _, c := range some {
		changed.Exchanges[c.exchange-1].Answer = c.to
	}
	return &changed
}

// excuse logs a change that was not found, with the reason that the replay
// itself gives. A name, order, nil or code may not be missed, whatever the
// reason.
func excuse(t *testing.T, r *replay.Result, c change) {
	t.Helper()
	reason := explained(r, c)
	t.Logf("not found: %s of exchange %d, %s: %s", c.kind, c.exchange, c.what[:min(len(c.what), 120)], reason)
	if reason == "" {
		t.Errorf("%s of exchange %d was not found, and nothing explains it", c.kind, c.exchange)
	}
	if c.kind != "time" && c.kind != "state" && c.kind != "value" {
		t.Errorf("%s of exchange %d was not found", c.kind, c.exchange)
	}
}

// TestChanges: of 100 changes that are chosen over the answers of a simulated host each is found,
// or is at a spot that the replay itself declares not to compare.
func TestChanges(t *testing.T) {
	t.Parallel()
	const seed, count = 18, 100
	batch := sample.Of(34, 5)
	rec := record(t, `D:\VMs\a.vhdx`)
	all := changes(rec, count, rand.New(rand.NewPCG(seed, seed)))
	if len(all) != count {
		t.Fatalf("%d changes were found to make", len(all))
	}
	excused := 0
	for _, some := range sample.Every(100, slices.Collect(slices.Chunk(all, batch))) {
		r := play(t, with(rec, some...))
		for _, c := range some {
			if isFound(r, c) {
				continue
			}
			// Other changes of the batch may hide it, such as one that removes the name of a job.
			alone := play(t, with(rec, c))
			if isFound(alone, c) || isMissed(alone, c) {
				continue
			}
			excused++
			excuse(t, alone, c)
		}
	}
	if excused > count/5 {
		t.Errorf("%d of %d changes were excused", excused, count)
	}
}
