"""Is one system better than another on the same cases, and by how much?"""
