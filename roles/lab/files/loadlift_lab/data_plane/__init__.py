"""The data plane: watches the API and makes the traffic follow it, one part a kind of resource."""
