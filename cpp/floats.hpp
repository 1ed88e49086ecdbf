// Floats as the doubles they are; included in the anonymous namespace of each kernel, for its instructions.

inline void widen(const float* from, size_t rows, double* to) {
    for (size_t i = 0; i < rows; i++) to[i] = static_cast<double>(from[i]);
}

inline void subtract_floats(const float* y, const float* p, size_t rows, double* out) {
    for (size_t i = 0; i < rows; i++) out[i] = static_cast<double>(y[i]) - static_cast<double>(p[i]);
}
