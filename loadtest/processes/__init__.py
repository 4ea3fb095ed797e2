"""The processes of a load test; Locust patches the interpreter, and never runs in this one."""
