import Glibc

/// eˣ of the system's mathematics library: for figures that are reported, not for what is trained.
func exponential(_ x: Double) -> Double { exp(x) }
