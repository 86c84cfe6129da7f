"""What evaluations measure besides the terms: named metrics, of Keras or of one's own, exact on any replicas."""
