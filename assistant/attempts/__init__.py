"""What was tried in a repository, kept in its `.veriloop/`: plain files that git does not see."""
