"""What is wrong with an endpoint under load, and the verdict."""
