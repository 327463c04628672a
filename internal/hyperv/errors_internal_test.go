package hyperv

import (
	"errors"
	"fmt"
	"testing"
)

func TestTogether(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("the time is over: %w", ErrInterrupted)
	for name, test := range map[string]struct {
		errs []error
		want string
	}{
		"two":        {[]error{cause, ErrJobGone}, "the time is over: interrupted; job gone"},
		"one of two": {[]error{nil, cause}, "the time is over: interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := together(test.errs...)
			if err.Error() != test.want || !errors.Is(err, ErrInterrupted) || errors.Is(err, ErrUnseen) {
				t.Errorf("together = %q, want %q and only its errors", err, test.want)
			}
		})
	}
	if err := together(nil, nil); err != nil {
		t.Errorf("together of nothing = %v, want nil", err)
	}
}
