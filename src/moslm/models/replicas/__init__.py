"""Several servers of one model: who is asked, who is left alone, and when a call is made again. Knows no protocol."""
