"""Labelled pictures: sources -> manifest -> split, cached crops and augmentation."""
