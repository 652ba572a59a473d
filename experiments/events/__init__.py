"""What visitors did: events, stored before they are acknowledged, once per message id."""
