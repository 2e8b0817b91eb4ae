"""Values behind secret references: one port, one module per place that can hold them."""
