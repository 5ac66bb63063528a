"""What a maintainer runs, and what ./lab asks before labkit can run. labkit imports none of it."""
