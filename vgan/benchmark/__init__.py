"""What costs what, and which objective does best: measured, side by side."""
