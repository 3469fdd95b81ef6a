"""Where frames come from: files, webcams and streams, which come and go."""
