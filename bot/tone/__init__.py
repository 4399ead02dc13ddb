"""The voice: from the team's past replies to a data set, a trained model, and what it is measured to be worth."""
