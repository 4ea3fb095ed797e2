"""Layer 2: Locust users that play journeys. The only place that imports locust, which patches the interpreter."""
