"""Virtual users: connections, journeys, and what they share."""
