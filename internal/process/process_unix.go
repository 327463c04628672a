//go:build !windows

package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// ignoreSignals leaves stopping to Terraform. A signal that goes to a whole group (systemd,
// containers) goes to Terraform too; SIGHUP comes from a terminal that is closed, SIGPIPE from a
// log that is no longer read once Terraform was killed.
func ignoreSignals() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
}

// parentLooks is the interval at which this process checks that its parent is there.
const parentLooks = 5 * time.Second

// parentGone waits until this process has another parent.
func parentGone() bool { return changes(os.Getppid) }

func changes(number func() int) bool {
	first := number()
	ticker := time.NewTicker(parentLooks)
	defer ticker.Stop()
	for number() == first {
		<-ticker.C
	}
	return true
}
