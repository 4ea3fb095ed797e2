"""The chat: accounts, channels, sessions, limits."""
