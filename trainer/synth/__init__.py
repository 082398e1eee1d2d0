"""House music synthesiser and DJ mixer: audio whose beats, sub-genres, sections and drops are known exactly."""
