"""From records to verdicts: transcript checks, failures, requirements, the baseline."""
