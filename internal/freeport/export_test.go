package freeport

// IsFree is isFree, for tests.
var IsFree = isFree

// Tried returns how many ports this process has looked at; BeginAt sets it.
func Tried() int { return int(tried.Load()) }

// BeginAt makes the process go on from there.
func BeginAt(n int) { tried.Store(uint32(n)) }
