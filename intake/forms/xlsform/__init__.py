"""Forms as XLSForm files, in and out. Pure. pyxform and openpyxl are imported when a file is read or written."""
