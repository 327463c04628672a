package hypervsim

// call is a method call that passed the strict decoder.
type call struct {
	namespace, class, method string
	keys                     []keyValue
	input                    []property // typ is always typeString: the wire has no types
	user                     string     // DOMAIN\user of the authenticated caller
}

// model is what the wire half asks of the simulated Hyper-V and file system
// behind it. Namespaces are spelled as root\virtualization\v2, classes without
// regard to letter case.
type model interface {
	// get returns one instance by its keys.
	get(namespace, class string, keys []keyValue) (*object, *failure)
	// enumerate returns all instances of a class. A WQL where clause or selector
	// filter has been parsed by the wire half into equalities, all of which must
	// hold; a class "*" never reaches the model.
	enumerate(namespace, class string, where []keyValue) ([]*object, *failure)
	// invoke carries a method call out and returns its out parameters.
	invoke(c call) (*object, *failure)
}
