"""Is this good enough, or does it go up?"""
