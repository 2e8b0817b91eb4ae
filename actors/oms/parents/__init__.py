"""Parent orders: one file per type with its state table, and what they share."""
