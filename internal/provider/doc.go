// Package provider is the Terraform side: schema, plan, state, diagnostics and
// the conversion between them and package hyperv, which does the work.
//
// Plans are pure functions of configuration, prior state, private state and the
// provider's configuration, because Terraform asks for the plan again, in
// another process, while it applies. Hosts are asked only in Read and during
// apply.
package provider
