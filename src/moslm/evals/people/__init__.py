"""What people say of answers: sheets for raters, their ratings, how far they agree, and what becomes of it."""
