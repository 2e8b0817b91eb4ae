"""A local exchange that speaks Poloniex's dialect around the one matching and margin engine."""
