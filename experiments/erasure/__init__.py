"""What a person may ask of whoever keeps data of them: all of it, and to be forgotten."""
