"""What lies where on the stack: the variables, and what the verifier knew of each slot."""
