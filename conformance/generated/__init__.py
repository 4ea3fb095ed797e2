"""Scenarios that nobody wrote: what a contract declares is checked from the contract alone.

What is sent must do no harm. Valid messages are examples of the document that have a declared reply, each once, and
those that the contract allows to be generated (`messages.generate`). Invalid ones (`mistakes`) are made of these, of
the probe, and of what no server can mean anything by: texts that are no message, unknown names, and messages that only
servers send. What the contract says of the reaction is judged; what it leaves open is observed.
"""
