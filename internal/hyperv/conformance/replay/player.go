package replay

import (
	"context"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

var (
	toForm      = regexp.MustCompile(`(<(?:\w+:)?To(?:\s[^>]*)?>)[^<]*`)
	hiddenText  = regexp.MustCompile(`\btext-\d+\b`)
	selectorOf  = regexp.MustCompile(`(<(?:\w+:)?Selector Name="(\w+)">)([^<]*)`)
	addressKeys = []string{"PortNumber", "PathId", "TargetId", "Lun"}
)

const classImage = "Msvm_MountedStorageImage"

// image is where a disk is attached, by the keys of its address.
type image map[string]string

func (i image) String() string {
	var values []string
	for _, key := range addressKeys {
		values = append(values, i[key])
	}
	return strings.Join(values, " ")
}

// send sends the request of an exchange and returns the answer as the simulated
// host gave it. The outcome of a request that was sent without the client is
// compared here.
func (p *player) send(ctx context.Context, x exchange, c *comparison) (string, error) {
	if x.HTTP != nil {
		return p.hit(ctx, x, c)
	}
	answer, err := p.resender.Send(ctx, p.rewrite(x))
	if err != nil && ctx.Err() == nil {
		return "", nil // without an envelope; the comparison reports that
	}
	return answer, err
}

func (p *player) hit(ctx context.Context, x exchange, c *comparison) (string, error) {
	got, answer, err := p.resender.Hit(ctx, *x.HTTP, x.Request)
	switch {
	case err != nil && ctx.Err() != nil:
		return "", err
	case err != nil:
		c.differ("", Status, status(*x.HTTP), "no answer")
	case status(got) != status(*x.HTTP):
		c.differ("", Status, status(*x.HTTP), status(got))
	}
	return answer, nil
}

// nameShare restores the name of the one share that the kit asks for, which a
// recording masks because an account can have that name.
func (p *player) nameShare() {
	for _, x := range p.stage.all {
		if x.request != nil && x.class() == "Win32_Share" {
			p.raw[x.selector("Name")] = "ADMIN$"
		}
	}
}

// rewrite addresses a recorded request to the simulated host, with the names of
// that host in place of the recorded ones.
func (p *player) rewrite(x exchange) string {
	text := toForm.ReplaceAllString(x.Request, "${1}"+escape(p.resender.To()))
	rename := func(recorded string) string {
		if raw, ok := p.raw[strings.ToLower(recorded)]; ok {
			return escape(raw)
		}
		return recorded
	}
	text = hiddenText.ReplaceAllStringFunc(guidForm.ReplaceAllStringFunc(text, rename), rename)
	if x.class() != classImage {
		return text
	}
	recorded := image{}
	for _, key := range addressKeys {
		recorded[key] = x.selector(key)
	}
	simulated, known := p.images[recorded.String()]
	if !known {
		return text
	}
	return selectorOf.ReplaceAllStringFunc(text, func(s string) string {
		m := selectorOf.FindStringSubmatch(s)
		if value, ok := simulated[m[2]]; ok {
			return m[1] + value
		}
		return s
	})
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}

// learn remembers which names and addresses of the simulated host stand for those in the recording.
func (p *player) learn(recorded *node, answer string) {
	simulated, err := parse(answer)
	if recorded == nil || err != nil {
		return
	}
	if id := (exchange{answer: simulated}).job(); id != "" && (exchange{answer: recorded}).job() == "" {
		p.surplus[id], p.surplus[p.resender.MaskText(id)] = true, true
	}
	dropJobs(simulated, p.unneeded)
	p.pair(recorded, simulated)
}

func (p *player) pair(recorded, simulated *node) {
	p.name(recorded.text, simulated.text)
	if recorded.name == classImage && simulated.name == classImage {
		p.images[addressOf(recorded).String()] = addressOf(simulated)
	}
	as, bs := keyed(recorded.children), keyed(simulated.children)
	for key, a := range as.of {
		if b, ok := bs.of[key]; ok {
			p.pair(a, b)
		}
	}
}

func addressOf(n *node) image {
	found := image{}
	for _, key := range addressKeys {
		found[key] = n.property(key).value()
	}
	return found
}

// name pairs identifiers and hidden texts. The first pair counts: a different one later is a
// difference.
func (p *player) name(recorded, simulated string) {
	remember := func(recorded, raw string) {
		if key := strings.ToLower(recorded); p.raw[key] == "" {
			p.raw[key] = raw
		}
	}
	if hiddenText.FindString(recorded) == recorded && recorded != "" {
		remember(recorded, simulated)
		return
	}
	as, bs := guidForm.FindAllString(recorded, -1), guidForm.FindAllString(simulated, -1)
	for i := range min(len(as), len(bs)) {
		remember(as[i], bs[i])
	}
}

// status describes the outcome of an HTTP request.
func status(h conformance.RecordedHTTP) string {
	body := "without a body"
	if h.AnswerBytes > 0 {
		body = "with a body"
	}
	return fmt.Sprintf("%d %s", h.Status, body)
}
