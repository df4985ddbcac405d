Answers are passed on in the same turn of the loop as the requests they follow, which on one core takes half of what portmux adds to a round trip.
