"""The weekly report on its way to people: laid out for each channel, sent to whom subscribed."""
