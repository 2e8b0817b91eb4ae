"""Stopping an account from outside its node: own connection, own budget, proof, and a latch that stays."""
