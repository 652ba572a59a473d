"""The platform's own A/A: visitors of every journey divided for nothing, judged like a test."""
