"""A double of Vault: its HTTP API as far as this project and its drills use it, with faults on demand."""
