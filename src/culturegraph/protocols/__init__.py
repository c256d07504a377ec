"""The protocols that the graph is published by, as pure functions: no web framework, no sockets."""
