"""What stylizing costs, stage by stage and engine by engine."""
