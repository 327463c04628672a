package hypervsim

// object is an instance of a class, or the output of a method, on its way to
// the wire. Properties keep their order.
type object struct {
	namespace, class string
	keys             []string // names of the key properties
	properties       []property
}

// cimType is the CIM type of a property; it decides the wire form.
type cimType string

const (
	typeBoolean   cimType = "boolean"
	typeUint8     cimType = "uint8"
	typeUint16    cimType = "uint16"
	typeUint32    cimType = "uint32"
	typeUint64    cimType = "uint64"
	typeString    cimType = "string"
	typeDateTime  cimType = "datetime" // value: RFC 3339 in UTC
	typeInterval  cimType = "interval" // value: Go duration text
	typeReference cimType = "reference"
)

// property is one property of an object. It is null without values, unless it
// is an array.
type property struct {
	name   string
	typ    cimType
	array  bool
	values []string
	ref    *objectPath // for typeReference
}

// objectPath addresses an instance, as a returned reference does.
type objectPath struct {
	namespace, class string
	keys             []keyValue
}

// keyValue is one selector of a request or one key of a reference.
type keyValue struct{ name, value string }

// call is a method call that passed the strict decoder.
type call struct {
	namespace, class, method string
	keys                     []keyValue
	input                    []property // typ is always typeString: the wire has no types
	user                     string     // DOMAIN\user of the authenticated caller
}

// failure is what a request ends with in place of an answer. The wire half
// turns it into a fault envelope; texts come from a table by code and locale.
type failure struct {
	code    uint32 // WSManFault Code: Win32 or HRESULT
	subcode string // QName of the SOAP subcode with the prefix s, w, a or n
	sender  bool   // s:Sender, else s:Receiver
	detail  string // last part of the w:FaultDetail URI, may be empty
	plugin  bool   // came from the WMI plug-in: nested in f:ProviderFault
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
