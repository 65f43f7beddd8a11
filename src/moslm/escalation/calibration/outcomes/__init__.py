"""What several models really answered to questions whose answers are known: read, learned from, reported on."""
