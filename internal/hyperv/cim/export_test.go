package cim

// MaxEmbeddedBytes is the bound of an embedded instance, for round trips that may go beyond it.
const MaxEmbeddedBytes = maxEmbeddedBytes
