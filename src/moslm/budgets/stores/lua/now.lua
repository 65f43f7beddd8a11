return string.format('%.6f', now())
