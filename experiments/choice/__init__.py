"""The choice study: does the advice from a pilot pick the right fusion?"""
