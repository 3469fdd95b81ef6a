"""What a model file is worth: metrics, calibration, and the tables made of them."""
