#ifndef LVAE_CMPI_H
#define LVAE_CMPI_H

#include <stddef.h>

/// Open MPI, loaded when a program asks for it: nothing of it is needed to build, or to run alone.
///
/// All calls are made by the thread that opened it. Handles of Open MPI's versions 3 to 5 are
/// addresses of objects that the library exports; other implementations' are not, and are refused.
typedef struct lvae_mpi lvae_mpi;

/// A sum under way.
typedef void *lvae_mpi_request;

typedef enum {
  /// It is open.
  LVAE_MPI_OPEN = 0,
  /// No library of that name could be loaded.
  LVAE_MPI_NO_LIBRARY,
  /// The library isn't Open MPI.
  LVAE_MPI_OTHER_ABI,
  /// The library refused to start.
  LVAE_MPI_NOT_STARTED,
} lvae_mpi_status;

/// Loads the library and joins the processes that its launcher started.
///
/// `path` names the library; NULL looks for `libmpi.so.40` and `libmpi.so`. `detail` takes up to
/// `detail_size` bytes of what was wrong, ended by zero. Returns NULL unless the status is OPEN.
lvae_mpi *lvae_mpi_open(
  const char *path, lvae_mpi_status *status, char *detail, size_t detail_size);

/// Which of the processes this one is, from 0.
int lvae_mpi_rank(const lvae_mpi *mpi);
/// How many processes there are.
int lvae_mpi_size(const lvae_mpi *mpi);
/// How many of them run on this machine.
int lvae_mpi_local_size(const lvae_mpi *mpi);

/// Starts to replace `values` by their sums over all processes, which all start the same sums in
/// the same order. The memory stays as it is until the sum is done. Returns 0 if it was started.
int lvae_mpi_start_sum(lvae_mpi *mpi, float *values, int count, lvae_mpi_request *request);
/// The same in double precision.
int lvae_mpi_start_sum_double(lvae_mpi *mpi, double *values, int count, lvae_mpi_request *request);
/// Whether a sum is done; asking also drives it on. Negative if it failed.
int lvae_mpi_is_done(lvae_mpi *mpi, lvae_mpi_request *request);

/// Ends all processes with a status.
void lvae_mpi_abort(lvae_mpi *mpi, int status);
/// Leaves the processes, when all others do, too, and frees the memory.
void lvae_mpi_close(lvae_mpi *mpi);

#endif
