package replay

import "strings"

// startedJobs returns the jobs that recorded requests started.
func startedJobs(all []exchange) map[string]bool {
	started := map[string]bool{}
	for _, x := range all {
		if id := x.job(); id != "" {
			started[id] = true
		}
	}
	return started
}

// ownJobs returns the jobs that recorded requests started, or asked for.
func ownJobs(all []exchange) map[string]bool {
	own := startedJobs(all)
	for _, x := range all {
		if x.request != nil {
			own[x.selector("InstanceID")] = true
		}
	}
	return own
}

// dropJobs removes from lists the entries about jobs that the other host cannot have, and returns
// how many it removed for which reason.
func dropJobs(n *node, reason func(id string) Reason) map[Reason]int {
	counts := map[Reason]int{}
	kept := n.children[:0:0]
	for _, child := range n.children {
		if id, is := jobIn(child); is && n.name == "Items" && id != "" && reason(id) != "" {
			counts[reason(id)]++
			continue
		}
		for why, count := range dropJobs(child, reason) {
			counts[why] += count
		}
		kept = append(kept, child)
	}
	n.children = kept
	return counts
}

// unlisted returns the reason why a recorded job is not expected in a list, empty if it is.
func (p *player) unlisted(id string) Reason {
	switch {
	case !p.own[id]:
		return ReasonForeign
	case p.isNotStarted(id):
		return ReasonNoJob
	}
	return ""
}

// isNotStarted reports whether the simulated host did without a job what the recorded host did by a
// job.
func (p *player) isNotStarted(id string) bool {
	_, known := p.raw[strings.ToLower(id)]
	return !known && p.started[id]
}

// unneeded returns the reason why a job of the simulated host is not expected
// in a list: the recorded host did the work without a job.
func (p *player) unneeded(id string) Reason {
	if p.surplus[id] {
		return ReasonNoJob
	}
	return ""
}

// jobIn returns the job that an instance describes or links.
func jobIn(n *node) (string, bool) {
	switch n.name {
	case classStorageJob:
		return n.property("InstanceID").value(), true
	case "Msvm_AffectedStorageJobElement":
		return n.find("AffectingElement").find("Selector[InstanceID]").value(), true
	}
	return "", false
}
