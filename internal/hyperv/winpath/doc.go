// Package winpath checks, normalises and compares the paths of files on a
// Windows host. It is pure text: it runs on every operating system and asks none.
package winpath
