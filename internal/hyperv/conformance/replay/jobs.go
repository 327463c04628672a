package replay

import (
	"math"
	"time"
)

// never is longer than any recording.
const never = time.Duration(math.MaxInt64 / 4)

// beforeIt is how long before the exchange that shows it an event is made to happen.
const beforeIt = time.Microsecond

// jobTime is when a job of the recording has to end, so that every request
// about it finds the state that was recorded.
type jobTime struct {
	lasts time.Duration
	// shutsDown is how long it takes to stop once it is cancelled, 0 for at once.
	shutsDown time.Duration
	// from are the exchanges from which the time of its end is inferred.
	from []int
}

// jobTimes works out the times of the job that exchange i started. It ends as late as it can: after
// every answer that shows it running, and right before an answer shows that it has ended or another
// request needed its disk.
func jobTimes(all []exchange, i int) jobTime {
	id := all[i].job()
	var cancelled time.Duration
	slowly := false
	last, from := i, []int(nil)
	for n, x := range all[i+1:] {
		if isCancelOf(x, id) && cancelled == 0 {
			cancelled, slowly = x.At(), x.returned() == 4096
		}
		if sawRunning(x, id) {
			last, from = i+1+n, []int{x.Number}
		}
	}
	for _, x := range all[last+1:] {
		if !sawEnd(x, id) && !needsTheDisk(all, x, all[i]) {
			continue
		}
		from = append(from, x.Number)
		switch {
		case slowly:
			return jobTime{never, max(beforeIt, x.At()-cancelled-beforeIt), from}
		case cancelled > 0 && cancelled <= x.At():
			return jobTime{never, 0, from}
		}
		return jobTime{max(beforeIt, x.At()-all[i].At()-beforeIt), 0, from}
	}
	return jobTime{lasts: never}
}

// sawRunning reports whether an answer shows a job that has not ended.
func sawRunning(x exchange, id string) bool {
	for _, j := range x.jobs() {
		if j.id == id {
			return !hasEnded(j.state)
		}
	}
	return false
}

func isCancelOf(x exchange, id string) bool {
	return x.request != nil && x.operation() == "RequestStateChange" && x.selector("InstanceID") == id && (x.returned() == 0 || x.returned() == 4096)
}

// sawEnd reports whether an answer shows that a job has ended.
func sawEnd(x exchange, id string) bool {
	for _, j := range x.jobs() {
		if j.id == id {
			return hasEnded(j.state)
		}
	}
	return x.request != nil && x.class() == classStorageJob && x.selector("InstanceID") == id && x.operation() == "Get" && x.isFault()
}

// needsTheDisk reports whether the host did something with the disk of an earlier request that it
// does not do while a job works on the disk.
func needsTheDisk(all []exchange, x, earlier exchange) bool {
	if x.request == nil || x.Number == earlier.Number || x.path() == "" || x.path() != earlier.path() {
		return false
	}
	switch x.operation() {
	case "CompactVirtualHardDisk", "AttachVirtualHardDisk":
		return succeeded(all, x)
	case "Delete":
		return x.returned() == 0
	}
	return false
}

// succeeded reports whether a call, and its job if it had one, did what was asked for.
func succeeded(all []exchange, x exchange) bool {
	switch x.returned() {
	case 0:
		return true
	case 4096:
		for _, later := range all[x.Number:] {
			for _, j := range later.jobs() {
				if j.id == x.job() && hasEnded(j.state) {
					return j.state == 7 || j.state == 32768
				}
			}
		}
	}
	return false
}
