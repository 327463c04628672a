//go:build !race

package hyperv_test

const matrixStride = 1
