"""Regular expressions over octets, in linear time whatever they and the bytes are."""
