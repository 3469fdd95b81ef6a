"""Transfer learning by features: a network's last layer stored, classifiers fitted on it."""
