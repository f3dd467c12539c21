"""Firstspike: a hardware generator for spiking neural networks."""
