"""What drills need beside a running deployment: doubles of servers it depends on, and what acts on them."""
