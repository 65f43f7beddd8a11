"""A run as a report: what its outcomes come to as plain data, and one page that draws it and computes nothing."""
