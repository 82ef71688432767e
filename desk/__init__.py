"""Serves every page: staff, a referent's personal page, public pages. Decides nothing on its own."""
