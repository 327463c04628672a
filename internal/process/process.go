// Package process decides how long this process lives. Jobs have to be cancelled and disks detached
// before it ends, so it ends when Terraform says so: not by an event that ends everything around
// it, and not at once when Terraform itself is killed.
package process

import "os"

// Outlive keeps this process from ending with its terminal, its session or the reader of its log,
// and ends it some minutes after its parent was killed.
func Outlive() {
	ignoreSignals()
	go endWithParent(parentGone, func() { os.Exit(1) })
}
