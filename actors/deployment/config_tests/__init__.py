"""Tests of deployments as files: what can be written, and what it means for one deployment."""
