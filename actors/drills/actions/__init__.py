"""What a drill does to a deployment and to those around it; one module per target."""
