"""How alerts reach subscribers: who follows which alert, when each is told, and how it went.

`router.py` and `mailbox.py` are pure: time is an argument. `courier.py` sends.
"""
