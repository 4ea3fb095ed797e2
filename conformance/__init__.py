"""Layer 1: the scenario language, the engine, the transport, the checks and the verdicts."""
