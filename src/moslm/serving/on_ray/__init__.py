"""Model servers on a Ray cluster: what becomes of each server there, and the cluster's beginning and end."""
