"""Hooks that know that the server is a chat: its sessions and channels."""

from reference_server.chat.hub import Hub
from reference_server.core.hooks import Hook


class ChatHook(Hook):
    """A hook of a chat server."""

    hub: Hub
