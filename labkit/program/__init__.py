"""What is built: the variants, their structs, and what C text tells without a compiler."""
