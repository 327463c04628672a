//go:build race

package hyperv_test

// matrixStride takes every second cell under the race detector, which makes each
// several times slower.
const matrixStride = 2
