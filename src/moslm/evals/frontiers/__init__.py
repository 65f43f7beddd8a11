"""Cost against quality on recorded tables: what a gate saves, beside what it is compared with."""
