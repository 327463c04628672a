// Package winpath compares and checks paths of files on Windows hosts, on any
// operating system. It consists of pure functions and asks no host.
//
// [Check] accepts the paths by which a virtual hard disk may be named; the
// other functions take any path, even one that a host reported in another
// spelling.
package winpath
