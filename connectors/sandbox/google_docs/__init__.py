"""Google Drive v3 and Docs v1 on loopback, with the company's shared documents in them."""
