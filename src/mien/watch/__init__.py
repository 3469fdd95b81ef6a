"""From cameras to audience statistics: frames -> tracks -> visits -> store -> totals."""
