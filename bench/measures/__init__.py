"""What ``bench/classifier.py`` measures of the classifier: one measure a file, each returns plain figures.

Knows the classifier through its public functions alone; the texts it is measured on are read by `measures.rows`.
"""
