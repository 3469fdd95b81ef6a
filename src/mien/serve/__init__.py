"""The HTTP service: pictures in over the network, faces with their attributes out."""
