"""The commands of `raccordo`, by subject. Each opens the house, does one thing, prints, and ends."""
