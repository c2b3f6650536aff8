"""The embedded AWS: an emulated control plane and a real data plane on loopback."""
