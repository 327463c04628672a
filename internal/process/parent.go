package process

import "time"

// grace is how long this process goes on without its parent: longer than any run
// needs to cancel its job and to detach its disk once Terraform is gone.
var grace = 5 * time.Minute

// endWithParent calls end some time after the parent, which is Terraform, was killed: nothing else
// ends its providers then. It waits with gone, which reports false where it cannot find out.
func endWithParent(gone func() bool, end func()) {
	if !gone() {
		return
	}
	<-time.After(grace)
	end()
}
