"""Runs over recorded history: what a run leaves behind, its metrics and reports."""
