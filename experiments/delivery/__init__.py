"""What leaves this machine: an outbox of mails, Slack messages and webhooks, each sent once.

Whatever is to be sent is written to the outbox in the transaction that it is about, under a key of
its own; a job sends it later, again and again with growing pauses. A message that was taken in the
very moment of a crash is sent again under the same id, by which the receiver knows it.
"""
