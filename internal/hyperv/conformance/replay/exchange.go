package replay

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

// exchange is a recording that has been parsed. Its request and its answer are
// nil where there is no envelope.
type exchange struct {
	conformance.Recording
	request, answer *node
}

func read(all []conformance.Recording) []exchange {
	var list []exchange
	for _, r := range all {
		x := exchange{Recording: r}
		x.request, _ = parse(r.Request) // some are not XML on purpose
		x.answer, _ = parse(r.Answer)
		list = append(list, x)
	}
	return list
}

// lastPart is what follows the last slash of a URI.
func lastPart(uri string) string { return uri[strings.LastIndexByte(uri, '/')+1:] }

func (x exchange) class() string { return lastPart(x.request.find("ResourceURI").value()) }

// operation is the method that is called, or the operation of the protocol.
func (x exchange) operation() string { return lastPart(x.request.find("Action").value()) }

func (x exchange) selector(name string) string {
	return x.request.find("Selector[" + name + "]").value()
}

// input is a parameter of a method call.
func (x exchange) input(name string) string {
	return x.request.find("Body").find(x.operation() + "_INPUT").property(name).value()
}

// path returns the file that a request is about.
func (x exchange) path() string {
	if path := x.input("Path"); path != "" {
		return path
	}
	if settings := x.request.find("VirtualDiskSettingData"); settings != nil {
		return settings.property("Path").value()
	}
	if x.class() == "CIM_DataFile" || x.class() == "Win32_Directory" {
		return x.selector("Name")
	}
	return ""
}

// returned returns the return value of a method, -1 when the answer has none.
func (x exchange) returned() int {
	n, err := strconv.Atoi(x.answer.find("ReturnValue").value())
	if err != nil {
		return -1
	}
	return n
}

// job identifies the job that an answer refers to.
func (x exchange) job() string {
	return x.answer.find("Job").find("Selector[InstanceID]").value()
}

// isFault reports whether the answer is a fault or none at all.
func (x exchange) isFault() bool { return x.answer == nil || x.answer.find("Fault") != nil }

var ofClass = regexp.MustCompile(`(?i)\bfrom\s+(\w+)`)

// subject names what is asked, by class and method.
func (x exchange) subject() string {
	switch {
	case x.HTTP != nil:
		return fmt.Sprintf("HTTP %s %s", x.HTTP.Method, x.HTTP.Path)
	case x.request == nil:
		return "a request that is no XML"
	case x.request.find("Identify") != nil:
		return "Identify"
	case x.class() == "*":
		if m := ofClass.FindStringSubmatch(x.request.find("Filter").value()); m != nil {
			return "WQL about " + m[1]
		}
		return "WQL"
	case strings.Contains(x.request.find("Action").value(), "/wmi/"):
		return x.operation() + " of " + x.class()
	}
	return x.operation() + " " + x.class()
}

// jobView is what an answer shows of a job.
type jobView struct {
	id    string
	state int
}

const classStorageJob = "Msvm_StorageJob"

// jobs lists the jobs that an answer describes.
func (x exchange) jobs() []jobView {
	var all []jobView
	x.answer.all(func(n *node) {
		if n.name == classStorageJob {
			state, err := strconv.Atoi(n.property("JobState").value())
			if id := n.property("InstanceID").value(); id != "" && err == nil {
				all = append(all, jobView{id: id, state: state})
			}
		}
	})
	return all
}

// hasEnded reports whether a job in a state does nothing any more.
func hasEnded(state int) bool {
	switch state {
	case 7, 8, 9, 10, 32768:
		return true
	}
	return false
}

// isRunningJob reports whether a node is a job that has not ended.
func isRunningJob(n *node) bool {
	if n.name != classStorageJob {
		return false
	}
	state, err := strconv.Atoi(n.property("JobState").value())
	return err == nil && state >= 2 && state <= 6 && !hasEnded(state)
}
