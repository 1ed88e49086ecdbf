"""Training losses: one table of kernels, one composition with weights and masks, and a face for each framework."""
