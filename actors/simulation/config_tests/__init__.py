"""Tests of deployments, run in virtual time."""
