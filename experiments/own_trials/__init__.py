"""Is a trial on one's own images right where the theory warns?"""
