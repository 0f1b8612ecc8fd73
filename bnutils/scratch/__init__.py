"""The mathematics, written to be read: NumPy and the standard library, nothing else."""
