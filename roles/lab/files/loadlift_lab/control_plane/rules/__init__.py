"""What AWS refuses and moto lets through: one file a service, each rule with its source in AWS's documentation."""
