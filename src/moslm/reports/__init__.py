"""Self-contained HTML pages: markup, tables and charts as inline SVG, light and dark. Knows no figures' meaning."""
