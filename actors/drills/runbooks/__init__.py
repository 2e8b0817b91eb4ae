"""Runbooks that can be read, checked and run: steps with expectations, on the record."""
