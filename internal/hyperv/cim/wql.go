package cim

import "strings"

var wqlEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`)

// QuoteWQL writes s as a string literal of WQL. Backslash and both quotes are
// escaped (WMI SDK, WHERE clause), which paths need.
func QuoteWQL(s string) string { return `'` + wqlEscapes.Replace(s) + `'` }

// SelectWQL returns the query for all instances of a class whose properties
// have the given values. Class and property names come from constants and are
// not quoted.
func SelectWQL(class string, where ...Selector) string {
	query, word := "SELECT * FROM "+class, " WHERE "
	for _, s := range where {
		query += word + s.Name + "=" + QuoteWQL(s.Value)
		word = " AND "
	}
	return query
}
