"""A ticket's way, one module per verb: triage, retrieve, write, check, decide, deliver; `flow` strings them."""
