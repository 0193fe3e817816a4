"""What kind of renormalization a map is: by the law of few spins, and by configurations of many."""
