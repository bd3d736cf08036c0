"""Image denoisers ``denoiser(x, sigma)``, and how their weights are read."""
