"""Couplings from configurations: the likelihoods, their maximum, and the errors of what is found."""
