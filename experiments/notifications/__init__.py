"""What people must be told: written once with the change it is about, until somebody has read it.

Whoever writes one names a key, so that a job which runs twice tells it once. Channels that send
them (mail, chat) read them from here.
"""
