"""What a request may cost and did cost: prices, caps, the throttle."""
