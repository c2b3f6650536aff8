"""What moto lacks or gets wrong and the tier roles need: one file a service, each mend with its source."""
