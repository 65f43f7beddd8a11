"""What models may do: typed functions, each with its effect and permission."""
