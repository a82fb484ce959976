"""One list, several processes: each crawls a shard, and this one writes their rows."""
