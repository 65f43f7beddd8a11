"""What a request may cost, did cost, and what owning it all costs: prices, caps, the throttle, the case for buying."""
