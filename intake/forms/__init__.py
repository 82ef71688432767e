"""Forms as data: what is asked, how an answer is read, doubted and shown. Pure: knows no channel and no database."""
