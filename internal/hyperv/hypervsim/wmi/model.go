package wmi

import "time"

// Caller is the sender of a request.
type Caller struct {
	// User is DOMAIN\user of the authenticated account.
	User string
	// Client names the process at the other end of the connection, where the test has named it.
	// Windows does not know it; tests use it to find out afterwards which client did what.
	Client string
	// Asked is when the request came; the work may begin later.
	Asked time.Time
}

// Call is a method call that passed the strict decoder.
type Call struct {
	Caller
	Namespace, Class, Method string
	Keys                     []KeyValue
	Input                    []Property // Type is always TypeString: the wire has no types
}

// Model is what the wire half asks of the simulated Hyper-V and file system
// behind it. Namespaces are spelled as root\virtualization\v2, classes without
// regard to letter case.
type Model interface {
	// Get returns one instance by its keys.
	Get(by Caller, namespace, class string, keys []KeyValue) (*Object, *Failure)
	// Enumerate returns all instances of a class. A WQL where clause or selector
	// filter has been parsed by the wire half into equalities, all of which must
	// hold; a class "*" never reaches the model.
	Enumerate(by Caller, namespace, class string, where []KeyValue) ([]*Object, *Failure)
	// Invoke carries a method call out and returns its out parameters.
	Invoke(c Call) (*Object, *Failure)
}
