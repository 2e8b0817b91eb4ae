"""The far side's language: bytes into requests, answers into bytes. Nothing here decides anything."""
