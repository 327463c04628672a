package hyperv

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience: a run that watches an attachment leaves it alone for longer than its holder
// detaches without asking, whatever the length of the job and whenever the holder last polled it.
func TestPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, ran := range []time.Duration{time.Second, 20 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour} {
			for _, part := range []time.Duration{1, 2, 50, 1000} {
				var a attachment
				a.see(time.Now(), ran/part)
				time.Sleep(patience(ran) - 5*time.Second)
				if !a.lapsed() {
					t.Errorf("job of %s, last seen at %s: the holder is still sure when it is nearly taken over", ran, ran/part)
				}
			}
			var a attachment
			a.see(time.Now(), ran)
			time.Sleep(pollBound(ran) + readBeforeLimit)
			if a.lapsed() {
				t.Errorf("job of %s: the holder that noticed its end with the next poll has to ask", ran)
			}
		}
		if patience(0) != takeOverAfter || patience(1000*time.Hour) != takeOverAfter {
			t.Error("what is not known, or long, is left alone for less than the longest time")
		}
	})
}
