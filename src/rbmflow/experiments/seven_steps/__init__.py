"""The seven-step experiment of Iso, Shiba and Yokoo."""
