"""Locust's side: the only modules that know Locust and gevent."""
