"""What the tools say about a design: simulators, oracles, evidence. Who is to blame is not told here."""
