"""Commands: each file here is one that users type; installed, this folder is the package `termwise`."""
