"""The light table: Datasette plugin of hotfolder (its pages arrive with the web release)."""
