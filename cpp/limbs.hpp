// Limbs: the words of a long number. A few stay inside the object, for most sums need no more and an allocation costs as much as 20 rows.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace squarely {

class Limbs {
   public:
    Limbs() = default;
    Limbs(const Limbs& o) { copy(o.data_, o.size_); }
    Limbs(Limbs&& o) noexcept { take(o); }
    Limbs& operator=(const Limbs& o) {
        if (this != &o) copy(o.data_, o.size_);
        return *this;
    }
    Limbs& operator=(Limbs&& o) noexcept {
        if (this != &o) release(), take(o);
        return *this;
    }
    ~Limbs() { release(); }

    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }
    uint64_t& operator[](size_t i) { return data_[i]; }
    uint64_t operator[](size_t i) const { return data_[i]; }
    const uint64_t* begin() const { return data_; }
    const uint64_t* end() const { return data_ + size_; }
    uint64_t front() const { return data_[0]; }
    uint64_t back() const { return data_[size_ - 1]; }

    void clear() { size_ = 0; }
    void pop_back() { size_--; }
    void resize(size_t size, uint64_t fill = 0) {
        reserve(size);
        for (size_t i = size_; i < size; i++) data_[i] = fill;
        size_ = size;
    }
    void add_front(size_t zeros) {
        reserve(size_ + zeros);
        std::memmove(data_ + zeros, data_, size_ * sizeof *data_);
        std::fill_n(data_, zeros, 0);
        size_ += zeros;
    }
    void drop_front(size_t count) {
        size_ -= count;
        std::memmove(data_, data_ + count, size_ * sizeof *data_);
    }

   private:
    void reserve(size_t size) {
        if (size <= capacity_) return;
        size_t capacity = std::max(size, 2 * capacity_);
        uint64_t* more = new uint64_t[capacity];
        std::memcpy(more, data_, size_ * sizeof *data_);
        release();
        data_ = more, capacity_ = capacity;
    }
    void copy(const uint64_t* from, size_t size) {
        size_ = 0;
        reserve(size);
        std::memcpy(data_, from, size * sizeof *data_);
        size_ = size;
    }
    void take(Limbs& o) {
        data_ = inside_, capacity_ = kInside, size_ = 0;
        if (o.data_ == o.inside_) return copy(o.data_, o.size_);
        std::swap(data_, o.data_), std::swap(capacity_, o.capacity_), std::swap(size_, o.size_);
        o.data_ = o.inside_, o.capacity_ = kInside;
    }
    void release() {
        if (data_ != inside_) delete[] data_;
        data_ = inside_, capacity_ = kInside;
    }

    static constexpr size_t kInside = 6;
    uint64_t inside_[kInside];
    uint64_t* data_ = inside_;
    size_t size_ = 0, capacity_ = kInside;
};

}  // namespace squarely
