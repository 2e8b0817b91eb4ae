"""Whole deployments under a virtual clock, with faults from a seed, watched from outside."""
