package provider

// NewWithEnv is New with an environment of its own.
var NewWithEnv = newWithEnv
