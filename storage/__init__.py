"""What must survive a crash. Imports `connectors.base` only."""
