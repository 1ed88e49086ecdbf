// Columns cut into planes of small integers, and the sums of products of planes: every step is exact, so no width of vectors changes a bit.

// digits = values * scale, rounded to integers; rest = what is left of them. Returns the largest |rest|.
template <class V>
double cut_digits(const double* values, size_t rows, double scale, double* digits, double* rest) {
    const double kRound = 6755399441055744.0;  // 1.5 * 2^52: what is added to it and taken away again is an integer
    V most = V::set(0.0), by = V::set(scale), round = V::set(kRound);
    size_t row = 0;
    for (; row + V::N <= rows; row += V::N) {
        V scaled = V::load(values + row) * by, digit = (scaled + round) - round, left = scaled - digit;
        digit.store(digits + row);
        left.store(rest + row);
        most = V::max(most, V::absolute(left));
    }
    double lane[V::N], largest = 0;
    most.store(lane);
    for (double x : lane) largest = x > largest ? x : largest;
    for (; row < rows; row++) {
        double scaled = values[row] * scale, digit = (scaled + kRound) - kRound, left = scaled - digit;
        digits[row] = digit, rest[row] = left;
        largest = left > largest ? left : -left > largest ? -left : largest;
    }
    return largest;
}

// Writes a b as product + error. Says whether that is exact: it may not be where a product is next to the ends of what doubles hold.
template <class V>
bool multiply_exactly(const double* a, const double* b, size_t rows, double* product, double* error) {
    const V zero = V::set(0.0), one = V::set(1.0);
    V least = one, most = one;
    auto step = [&](const double* left, const double* right, double* high, double* low) {
        V x = V::load(left), y = V::load(right), rounded = x * y, size = V::absolute(rounded);
        rounded.store(high);
        V::product_error(x, y, rounded).store(low);
        auto both = V::greater(V::absolute(x), zero);
        V judged = V::choose(V::greater(V::absolute(y), zero), V::choose(both, size, one), one);
        least = V::min(least, judged);
        most = V::max(most, V::max(size, V::max(V::absolute(x), V::absolute(y))));  // Dekker's splitting is for less than 2^996
    };
    size_t row = 0;
    for (; row + V::N <= rows; row += V::N) step(a + row, b + row, product + row, error + row);
    if (row < rows) {
        double left[V::N] = {}, right[V::N] = {}, high[V::N], low[V::N];
        std::memcpy(left, a + row, (rows - row) * sizeof(double));
        std::memcpy(right, b + row, (rows - row) * sizeof(double));
        step(left, right, high, low);
        std::memcpy(product + row, high, (rows - row) * sizeof(double));
        std::memcpy(error + row, low, (rows - row) * sizeof(double));
    }
    double low[V::N], high[V::N];
    least.store(low);
    most.store(high);
    for (int i = 0; i < V::N; i++)
        if (!(low[i] > 0x1p-900 && high[i] < 0x1p900)) return false;
    return true;
}

// Adds the products of A planes and B planes to sums, whose rows are `wide` apart.
template <class V, int A, int B>
inline __attribute__((always_inline)) void multiply_tile(const double* const* a, const double* const* b, size_t rows, int64_t* sums, size_t wide) {
    V total[A][B];
    for (auto& line : total)
        for (V& sum : line) sum = V::set(0.0);
    size_t row = 0;
    for (; row + V::N <= rows; row += V::N) {
        V right[B];
        for (int j = 0; j < B; j++) right[j] = V::load(b[j] + row);
        for (int i = 0; i < A; i++) {
            V left = V::load(a[i] + row);
            for (int j = 0; j < B; j++) total[i][j] = V::add_product(left, right[j], total[i][j]);
        }
    }
    for (int i = 0; i < A; i++)
        for (int j = 0; j < B; j++) {
            double lane[V::N], sum = 0;
            total[i][j].store(lane);
            for (double x : lane) sum += x;
            for (size_t last = row; last < rows; last++) sum += a[i][last] * b[j][last];
            sums[static_cast<size_t>(i) * wide + static_cast<size_t>(j)] += static_cast<int64_t>(sum);
        }
}

// sums[i, j] = sum over rows of left_i * right_j; where both are the same planes, only for i / A <= j / B, and mirrored.
template <class V>
void multiply_digits(const squarely::DigitPlanes& left, const squarely::DigitPlanes& right, size_t rows, int64_t* sums) {
    constexpr size_t A = 4, B = V::N == 8 ? 4 : 2, kRows = 512;  // what fits the registers, and the nearest cache
    const bool same = left.first == right.first && left.count == right.count;
    const size_t wide = right.count;
    for (size_t i = 0; i < left.count * wide; i++) sums[i] = 0;
    for (size_t from = 0; from < rows; from += kRows) {
        const size_t here = rows - from < kRows ? rows - from : kRows;
        for (size_t i = 0; i < left.count; i += A)
            for (size_t j = same ? i : 0; j < right.count; j += B) {
                const double *a[A], *b[B];
                const size_t high = left.count - i < A ? left.count - i : A, broad = right.count - j < B ? right.count - j : B;
                for (size_t k = 0; k < A; k++) a[k] = left.first + (i + (k < high ? k : 0)) * left.stride + from;
                for (size_t k = 0; k < B; k++) b[k] = right.first + (j + (k < broad ? k : 0)) * right.stride + from;
                if (high == A && broad == B) {
                    multiply_tile<V, A, B>(a, b, here, sums + i * wide + j, wide);
                    continue;
                }
                int64_t tile[A * B] = {};
                multiply_tile<V, A, B>(a, b, here, tile, B);
                for (size_t k = 0; k < high; k++)
                    for (size_t l = 0; l < broad; l++) sums[(i + k) * wide + j + l] += tile[k * B + l];
            }
    }
    if (same)
        for (size_t i = 0; i < left.count; i++)
            for (size_t j = 0; j < i; j++) sums[i * wide + j] = sums[j * wide + i];
}
