"""The carecast command."""
