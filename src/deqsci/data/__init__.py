"""Training data: clips and stills in memory, random crops of them, random masks."""
