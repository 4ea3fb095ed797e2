"""What a load test is started with: the plan, its journeys' tokens, addresses and stages."""
