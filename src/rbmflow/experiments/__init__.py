"""One file for each experiment; results are recorded, drawn and reported here."""
