"""What every ended experiment teaches: words with their evidence, until they are tested anew."""
