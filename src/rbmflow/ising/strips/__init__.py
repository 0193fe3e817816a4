"""Transfer matrices of crystals of which all but one side are short, and of such strips without end."""
