"""What the hardware is: sources, structure, elaboration, dataflow, edits. It knows nothing of simulators or git."""
