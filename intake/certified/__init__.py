"""What a certified mail is made of: parts, signature, data of its provider. Pure: no network, no database."""
