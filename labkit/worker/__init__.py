"""The worker: the only part that touches bcc. It runs alone, under the Python that has bcc."""
