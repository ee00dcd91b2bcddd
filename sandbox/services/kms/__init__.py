"""AWS KMS: moto's server, which here signs digests as they are."""
