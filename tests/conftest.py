"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# No test has a wall-clock limit: a busy machine draws and plays slowly, and is right all the same.
settings.register_profile(
    "any-machine", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")
