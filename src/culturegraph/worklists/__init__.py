"""Work lists: spreadsheets of names to reconcile and proposed links to review, for people at a desk, not a server."""
