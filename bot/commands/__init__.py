"""Commands beside the main ones. Light to import: `draftdesk --help` reads them."""
