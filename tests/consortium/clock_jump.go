// A wall clock that is set while the program runs: laid over the time package of Go when the engine is built once more
// for the tests. Go asks the kernel itself, so nothing that is preloaded reaches it; time namespaces do not move this clock.
// The monotonic clock, by which the engine waits, is left alone, as it is when an administrator sets the time.

package time

import (
	"sync/atomic"
	"syscall"
)

// jumped is by how many seconds the clock is off: what the file that CLOCK_JUMP_FILE names says, read twenty times a second.
var jumped atomic.Int64

func init() {
	if name, found := syscall.Getenv("CLOCK_JUMP_FILE"); found {
		go func() { // and not within Now, which the runtime calls where nothing may wait
			for ; ; Sleep(50 * Millisecond) {
				readJump(name)
			}
		}()
	}
}

func readJump(name string) {
	file, err := open(name)
	if err != nil {
		return
	}
	defer closefd(file)
	var octets [20]byte
	length, err := read(file, octets[:])
	if err != nil || length <= 0 {
		return
	}
	seconds, sign := int64(0), int64(1)
	for _, octet := range octets[:length] {
		if octet == '-' {
			sign = -1
		} else if '0' <= octet && octet <= '9' {
			seconds = 10*seconds + int64(octet-'0')
		}
	}
	jumped.Store(sign * seconds)
}
