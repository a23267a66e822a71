"""How good a stylized clip is, in numbers."""
