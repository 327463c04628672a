package hyperv

import (
	"strings"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// attachState says what this run knows of the attachment of its disk, and so who
// may detach it.
type attachState int

const (
	// attachNone: nothing of ours is attached, and nothing was asked for.
	attachNone attachState = iota
	// attachAsked: an attach went out and its end was not seen. Nobody may detach: what
	// a look shows is borrowed, and told.
	attachAsked
	// attachHeld: ours, by the answer to our attach or by a compaction of ours that
	// the host took on it. We detach.
	attachHeld
	// attachBorrowed: a read-only attachment that we did not make and on which a
	// compaction is tried. Nobody here detaches.
	attachBorrowed
	// attachLeft: an earlier run, or this one, could not give it back.
	attachLeft
)

// attachment is what this run has to do with the attachment of its disk. Its
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
	image *mountedImage  // of held and borrowed; of left if a look showed it
	job   *cim.Reference // of asked: the job that the answer to our attach named
	made  bool           // of asked: the host says that the attach succeeded
	// prior: an earlier run left the disk attached, which this run has not settled.
	// It is no ownership.
	prior bool
	cause error  // of left: why it could not be given back
	free  func() // of held: ends the claim to the address
	// seen is when the attach, or a compaction of ours, was sent or last seen at work
	// on it, and worked for how long that had gone on, 0 if it is not known. Nobody
	// takes an attachment over within [patience] of that.
	seen   time.Time
	worked time.Duration
	// detachLost is when the answer to a detach was lost, zero if none was.
	detachLost time.Time
}

func attachmentOf(order *Order) attachment {
	if !order.LeftAttached {
		return attachment{}
	}
	return attachment{state: attachLeft, prior: true}
}

// ask notes that an attach is on its way.
func (a *attachment) ask() {
	a.state, a.image, a.job, a.made = attachAsked, nil, nil, false
	a.see(time.Now(), 0)
}

// refuse notes that the attach that was asked for is not carried out. What an
// earlier run left is as unsettled as before.
func (a *attachment) refuse() {
	a.release()
	a.state, a.job = attachNone, nil
	if a.prior {
		a.state = attachLeft
	}
}

// own notes that image is attached by us. Free ends the claim to its address,
// see [addressClaims].
func (a *attachment) own(image *mountedImage, free func()) {
	a.release()
	*a = attachment{state: attachHeld, image: image, free: free, seen: a.seen, worked: a.worked}
}

// see notes when our work was on the attachment, and for how long it had gone on.
func (a *attachment) see(at time.Time, worked time.Duration) { a.seen, a.worked = at, worked }

// A holder who is alive notices the end of its job at its next poll, and detaches
// within holderMargin of that, or asks first. It is left alone for takeOverMargin.
const (
	holderMargin   = 20 * time.Second
	takeOverMargin = 30 * time.Second
	// takeOverAfter is for a job of any length: 150 s.
	takeOverAfter = pollLongest + takeOverMargin
)

// patience is how long after the end of a job that has run for worked its holder is
// left alone; 0 is not known.
func patience(worked time.Duration) time.Duration {
	if worked <= 0 {
		return takeOverAfter
	}
	return pollBound(worked) + takeOverMargin
}

// lapsed reports whether somebody may have taken the attachment over since our work
// was last seen on it.
func (a *attachment) lapsed() bool {
	return time.Since(a.seen) > patience(a.worked)-takeOverMargin+holderMargin
}

// doubt makes an attachment that was held one that is to be taken over anew. It stays
// to be told of.
func (a *attachment) doubt() {
	a.release()
	a.state, a.prior = attachBorrowed, true
}

// borrow notes that somebody's image is to be tried.
func (a *attachment) borrow(image *mountedImage) {
	a.state, a.image, a.job = attachBorrowed, image, nil
}

// end notes that nothing of ours is attached any more.
func (a *attachment) end() {
	a.release()
	*a = attachment{}
}

// leave notes that the disk may stay attached by us, and why.
func (a *attachment) leave(cause error) {
	a.release()
	*a = attachment{state: attachLeft, image: a.image, prior: a.prior, cause: cause}
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

// addressClaims knows the addresses of attachments that runs of this process hold
// on a host. One file can have several spellings, each with a turn of its own; the
// address shows that they are one.
type addressClaims struct {
	mu   sync.Mutex
	held map[AttachedAt]chan struct{} // closed when the run has given it back
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

// holder returns what is closed when the run that holds the address of image has
// given it back, nil when none of this process does.
func (c *addressClaims) holder(image *mountedImage, node string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[address(image, node)]
}

// address is where image is attached, without the name of the file.
func address(image *mountedImage, node string) AttachedAt {
	at := *image.at(strings.ToLower(node))
	at.Name = ""
	return at
}
