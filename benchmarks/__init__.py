"""What Raccordo costs, as ratios measured in one run."""
