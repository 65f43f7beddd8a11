"""One number for or against a draft, one file each."""
