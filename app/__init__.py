"""Builds and runs everything: settings, command line, lifespan, clock, demo. Nobody imports it."""
