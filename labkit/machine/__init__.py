"""What this machine is: its rights, its CPUs, its tracefs, what its kernel takes."""
