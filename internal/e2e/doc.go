// Package e2e holds the tests that run the provider as users run it: built, as a
// process of its own, started by the Terraform command line, against simulated
// hosts on the loopback interface. Runs are killed and interrupted at every stage
// and repeated, and a fleet of two hundred disks is compacted.
package e2e
