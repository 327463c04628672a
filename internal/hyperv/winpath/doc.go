// Package winpath compares and checks paths of files on Windows hosts, on any
// operating system. It is made of pure functions and asks no host.
//
// [Check] accepts what a virtual hard disk may be named by; the other functions
// take any path, also one that a host reported in another spelling.
package winpath
