"""Training of the weights that Osprey ships."""
