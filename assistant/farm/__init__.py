"""Jobs that run elsewhere: on the workers of a Dask scheduler, with the same verdicts as here."""
