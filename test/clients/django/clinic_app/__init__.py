"""An application of Django: its models only."""
