package hyperv

import (
	"strings"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// attachState is what this run knows of the attachment of its disk; it decides
// whether the run may detach it.
type attachState int

const (
	// attachNone: nothing of ours is attached, and no attach was requested.
	attachNone attachState = iota
	// attachAsked: an attach went out and its end was not seen. We do not detach: an attachment
	// that is found is borrowed, and reported.
	attachAsked
	// attachHeld: ours, by the answer to our attach or by a compaction of ours that the host has
	// accepted on it. We detach.
	attachHeld
	// attachBorrowed: a read-only attachment that we did not make and on which
	// a compaction is tried. We do not detach.
	attachBorrowed
	// attachLeft: an earlier run, or this one, could not detach it.
	attachLeft
)

// attachment is the relation of this run to the attachment of its disk. Its
// methods are the only transitions:
//
//	          none    asked   held   borrowed  left
//	ask       asked                            asked
//	refuse            none
//	own               held    held   held      held
//	borrow    borrowed borrowed      borrowed  borrowed
//	end       none    none    none   none      none
//	leave             left    left   left      left
//
// A cell without a state is a transition that no step of a run makes.
type attachment struct {
	state attachState
	image *mountedImage  // in held and borrowed; in left if it was seen
	job   *cim.Reference // in asked: the job that the answer to our attach named
	made  bool           // in asked: the host reports that the attach succeeded
	mine  bool           // the image was ours once, and may have been taken over since
	// prior: an earlier run left the disk attached, which this run has not settled. That does not
	// make an attachment ours.
	prior bool
	cause error  // in left: why it could not be detached
	free  func() // in held: ends the claim to the address
	// seen is when the attach, or a compaction of ours, was sent or last seen running, and worked
	// is how long it had run by then, 0 if that is not known. No other run takes over an attachment
	// within [patience] of that.
	seen   time.Time
	worked time.Duration
	// sight is when the attachment, or a job of ours on it, was last seen.
	sight sighting
	// detachLost is when the answer to a detach was lost, zero if none was.
	detachLost time.Time
}

func attachmentOf(order *Order) attachment {
	if !order.LeftAttached {
		return attachment{}
	}
	return attachment{state: attachLeft, prior: true}
}

// ask notes that an attach is being sent.
func (a *attachment) ask() {
	a.state, a.image, a.job, a.made, a.mine = attachAsked, nil, nil, false, false
	a.sight = sighting{}
	a.see(time.Now(), 0)
}

// refuse notes that the requested attach is not carried out. An attachment that
// an earlier run left is still unsettled.
func (a *attachment) refuse() {
	a.release()
	a.state, a.image, a.job, a.mine, a.sight = attachNone, nil, nil, false, sighting{}
	if a.prior {
		a.state = attachLeft
	}
}

// own notes that image is attached by us. The function free ends the claim to
// its address, see [addressClaims].
func (a *attachment) own(image *mountedImage, free func()) {
	a.release()
	*a = attachment{state: attachHeld, image: image, mine: true, free: free, seen: a.seen, worked: a.worked, sight: a.sight}
}

// see notes when our work was last seen on the attachment, and how long it had run by then.
func (a *attachment) see(at time.Time, worked time.Duration) {
	a.seen, a.worked, a.sight.at = at, worked, at
}

// A holder that is alive notices the end of its job at its next poll. Within holderMargin of that
// poll it detaches, and after that it checks first that the attachment is still its own. Other runs
// leave it alone for takeOverMargin.
const (
	holderMargin   = 20 * time.Second
	takeOverMargin = 30 * time.Second
	// takeOverAfter is for a job of any length: 150 s.
	takeOverAfter = pollLongest + takeOverMargin
)

// patience returns how long the holder of a job is left alone after the end of the job, which has
// run for worked; 0 means that this is not known.
func patience(worked time.Duration) time.Duration {
	if worked <= 0 {
		return takeOverAfter
	}
	return pollBound(worked) + takeOverMargin
}

// lapsed reports whether another client may have taken over the attachment since our work was last
// seen on it.
func (a *attachment) lapsed() bool {
	return time.Since(a.seen) > patience(a.worked)-takeOverMargin+holderMargin
}

// doubt turns an attachment that was held into one that has to be taken over again. It is still
// reported.
func (a *attachment) doubt() {
	a.release()
	a.state, a.prior = attachBorrowed, true
}

// borrow notes that a compaction is to be tried on image, which is not known to be ours.
func (a *attachment) borrow(image *mountedImage) {
	if a.mine = a.mine && a.image.same(image); !a.mine {
		a.sight = sighting{}
	}
	a.state, a.image, a.job = attachBorrowed, image, nil
}

// end notes that nothing of ours is attached any longer.
func (a *attachment) end() {
	a.release()
	*a = attachment{}
}

// leave notes that the disk may stay attached by us, and why.
func (a *attachment) leave(cause error) {
	a.release()
	*a = attachment{state: attachLeft, image: a.image, mine: a.mine, prior: a.prior, sight: a.sight, cause: cause}
}

func (a *attachment) release() {
	if a.free != nil {
		a.free()
		a.free = nil
	}
}

// left reports whether the disk may stay attached by us, now or since an earlier
// run.
func (a *attachment) left() bool {
	return a.state == attachAsked || a.state == attachHeld || a.state == attachLeft || a.state == attachBorrowed && a.prior
}

// tries reports whether a compaction may be sent on the attachment as it is.
func (a *attachment) tries() bool {
	return a.state == attachHeld || a.state == attachBorrowed
}

// addressClaims holds the addresses of the attachments that runs of this process hold on a host.
// One file can have several spellings, each with its own turn; the address shows that they are one
// file.
type addressClaims struct {
	mu   sync.Mutex
	held map[AttachedAt]chan struct{} // closed when the run has detached it
}

// hold claims the address of image on node until the returned function is called.
func (c *addressClaims) hold(image *mountedImage, node string) (free func()) {
	at, done := address(image, node), make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[at] = done
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.held[at] == done {
			delete(c.held, at)
		}
		close(done)
	})
}

// holder returns a channel that is closed when the run that holds the address
// of image has detached it, nil when no run of this process holds it.
func (c *addressClaims) holder(image *mountedImage, node string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[address(image, node)]
}

// address returns where image is attached, without the name of the file.
func address(image *mountedImage, node string) AttachedAt {
	at := *image.at(strings.ToLower(node))
	at.Name = ""
	return at
}
