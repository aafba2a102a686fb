#pragma once
#include <cblas.h>
#include <stddef.h>

/// LAPACK's eigenvalues (rising, in w) and eigenvectors (the columns of a) of a symmetric matrix
/// in column-major order, by divide and conquer. The last two arguments are the lengths of the
/// strings, which Fortran passes.
void dsyevd_(
    const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w,
    double *work, const blasint *lwork, blasint *iwork, const blasint *liwork, blasint *info,
    size_t jobz_length, size_t uplo_length);
