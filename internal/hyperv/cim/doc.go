// Package cim holds the part of the CIM data model that a WS-Management client
// for WMI needs: instances and their values, endpoint references, CIM-XML
// embedded instances, date-times, intervals, WQL quoting, and the names of
// namespaces and classes. It does no input or output and knows no protocol.
package cim
