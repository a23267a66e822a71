"""How good a stylised clip is, in numbers."""
