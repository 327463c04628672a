package main

import "time"

const (
	// parentLooks is how often this process looks whether its parent is there.
	parentLooks = 5 * time.Second
	// orphanGrace is how long it goes on without: longer than any run needs to
	// cancel its job and to detach its disk once Terraform is gone.
	orphanGrace = 5 * time.Minute
)

// endWithParent calls end some time after the parent, which is Terraform, was
// killed: nobody else ends its providers then. On Windows a process keeps the
// number of its parent, so there it is never called.
func endWithParent(parent func() int, end func()) {
	first := parent()
	ticker := time.NewTicker(parentLooks)
	defer ticker.Stop()
	for parent() == first {
		<-ticker.C
	}
	<-time.After(orphanGrace)
	end()
}
