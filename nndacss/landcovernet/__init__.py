"""Fetching LandCoverNet: of each chip and quarter the first clear dates, instead of 250 GB.

settings  section [landcovernet]
remote    what an object store or a web server holds, by S3's listing or by STAC items
plan      settings to an order; estimate: how much it would be, from listings alone
chip      one chip: which dates are clear, and their files, fetched and verified
stage     all chips, in parallel; manifest and table of dates
"""
