"""What a section of a notebook calls: each module belongs to one of them, or to an exercise."""
