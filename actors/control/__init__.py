"""How operators see and steer a running node: control API, view, metrics, logs, readers of its journal."""
