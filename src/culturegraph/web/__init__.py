"""The web server: the only part that knows the web framework. One thin router for each protocol."""
