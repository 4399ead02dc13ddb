"""The emulated Freshdesk account: solutions, tickets, conversations, people, canned responses, webhooks."""
