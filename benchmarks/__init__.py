"""Speed and quality against named rivals, in the same run. Run by hand; prints tables and writes JSON."""
