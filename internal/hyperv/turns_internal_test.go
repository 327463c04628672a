package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// takeTurn takes a turn and records its name; the turn ends when the test says so.
func takeTurn(t *testing.T, turns *turns, name, disk string, order *[]string, mu *sync.Mutex) (end func()) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		done, err := turns.take(t.Context(), disk, func() {})
		if err != nil {
			t.Errorf("take(%s): %v", name, err)
			return
		}
		mu.Lock()
		*order = append(*order, name)
		mu.Unlock()
		<-over
		done()
	}()
	synctest.Wait()
	return func() {
		close(over)
		synctest.Wait()
	}
}

func TestTurnsComeInOrderOfArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			order []string
			ends  []func()
		)
		turns := newTurns(2)
		for i := range 5 {
			name := fmt.Sprint(i)
			ends = append(ends, takeTurn(t, turns, name, name, &order, &mu))
		}
		if want := []string{"0", "1"}; !slices.Equal(order, want) {
			t.Fatalf("running = %v, want %v", order, want)
		}
		for _, end := range ends {
			end()
		}
		if want := []string{"0", "1", "2", "3", "4"}; !slices.Equal(order, want) {
			t.Errorf("order = %v, want %v", order, want)
		}
	})
}

func TestTurnsAreExclusivePerDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			order []string
		)
		turns := newTurns(3)
		endFirst := takeTurn(t, turns, "first a", "a", &order, &mu)
		endSecond := takeTurn(t, turns, "second a", "a", &order, &mu)
		endOther := takeTurn(t, turns, "b", "b", &order, &mu)
		if want := []string{"first a", "b"}; !slices.Equal(order, want) {
			t.Fatalf("running = %v, want %v: a busy disk must wait, and must not hold up others", order, want)
		}
		endFirst()
		if want := []string{"first a", "b", "second a"}; !slices.Equal(order, want) {
			t.Errorf("order = %v, want %v", order, want)
		}
		endSecond()
		endOther()
	})
}

func TestTurnsCancelledWaiterLeavesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		atOnce := func() { t.Error("queued with a turn free") }
		end, err := turns.take(t.Context(), "a", atOnce)
		if err != nil {
			t.Fatal(err)
		}
		cause := errors.New("second thoughts")
		ctx, cancel := context.WithCancelCause(t.Context())
		var queued bool
		go func() {
			time.Sleep(time.Hour)
			cancel(cause)
		}()
		start := time.Now()
		if _, err := turns.take(ctx, "b", func() { queued = true }); !errors.Is(err, cause) {
			t.Errorf("take = %v, want %v", err, cause)
		}
		if got := time.Since(start); got != time.Hour {
			t.Errorf("left after %s, want 1h", got)
		}
		if !queued {
			t.Error("the wait was not announced")
		}
		end()
		end, err = turns.take(t.Context(), "c", atOnce)
		if err != nil {
			t.Errorf("take after a cancelled waiter: %v", err)
		}
		end()
		end() // ending twice ends once
	})
}

func TestTurnsManyAtOnceNeverExceedTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit, disks, orders = 3, 7, 50
		var (
			mu            sync.Mutex
			running, peak int
			busy          = map[int]bool{}
			wg            sync.WaitGroup
		)
		turns := newTurns(limit)
		for i := range orders {
			disk := i % disks
			wg.Go(func() {
				end, err := turns.take(t.Context(), fmt.Sprint(disk), func() {})
				if err != nil {
					t.Error(err)
					return
				}
				defer end()
				mu.Lock()
				if busy[disk] {
					t.Errorf("disk %d runs twice", disk)
				}
				busy[disk] = true
				running++
				peak = max(peak, running)
				mu.Unlock()
				time.Sleep(time.Duration(i+1) * time.Minute)
				mu.Lock()
				running--
				busy[disk] = false
				mu.Unlock()
			})
		}
		wg.Wait()
		if peak != limit {
			t.Errorf("peak = %d, want %d", peak, limit)
		}
	})
}
