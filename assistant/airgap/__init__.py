"""Whether anything here connects to anything but this machine: every door tried under observation."""
