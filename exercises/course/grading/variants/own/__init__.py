"""A teacher's own questions: `make course VARIANTS=folder` puts them here, in the frozen kit."""
