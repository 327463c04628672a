package replay

import (
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// after brings the host back into step once an answer has shown that it is not. That way a
// difference is reported where it began, and not again with every later answer.
func (s *stage) after(i int) {
	x := s.all[i]
	switch {
	case x.request == nil || x.answer == nil:
	case x.operation() == "Get" && x.class() == "CIM_DataFile":
		s.keepFile(x)
	case x.operation() == "Enumerate" && x.class() == classImage && !x.isFault() && x.answer.find("EndOfSequence") != nil:
		s.keepAttached(x)
	}
}

// keepFile makes a file be there, or not, as it was recorded.
func (s *stage) keepFile(x exchange) {
	_, have := s.host.VHD(x.path())
	switch size, told := number(x.answer, "FileSize"); {
	case have && x.isFault():
		s.host.Detach(x.path())
		_ = s.host.Remove(x.path()) // it was there a moment ago
	case !have && told:
		s.host.AddVHD(hypervsim.VHD{Path: x.path(), FileSize: size})
	}
}

// keepAttached attaches or detaches a disk, so that it is attached if and only if the recording
// says so.
func (s *stage) keepAttached(x exchange) {
	recorded := map[string]bool{}
	x.answer.all(func(n *node) {
		if n.name != classImage {
			return
		}
		path := n.property("Name").value()
		recorded[winpath.Key(path)] = true
		access, _ := number(n, "Access")
		_ = s.host.Attach(path, access == 1) // refused when it is attached already
	})
	for _, a := range s.host.Attachments() {
		if !recorded[winpath.Key(a.Path)] {
			s.host.Detach(a.Path)
		}
	}
}
