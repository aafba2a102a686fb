#include "CMPI.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

// Open MPI's handles: addresses of objects that it exports.
typedef void *handle;

// Of its mpi.h.
#define IN_PLACE ((void *)1)
#define STATUS_IGNORE NULL
enum { THREAD_FUNNELED = 1, COMM_TYPE_SHARED = 0 };

struct lvae_mpi {
  handle world, float32, float64, sum;
  int rank, size, local_size;
  int (*finalize)(void);
  int (*abort)(handle, int);
  int (*start_sum)(const void *, void *, int, handle, handle, handle, lvae_mpi_request *);
  int (*test)(lvae_mpi_request *, int *, void *);
};

/// Finds a symbol; without it, says so in `detail`.
static int find(void *library, const char *name, void *place, char *detail, size_t detail_size) {
  *(void **)place = dlsym(library, name);
  if (*(void **)place) return 1;
  snprintf(detail, detail_size, "%s", name);
  return 0;
}

static void *load(const char *path, char *detail, size_t detail_size) {
  const char *names[] = {path ? path : "libmpi.so.40", path ? NULL : "libmpi.so"};
  for (int i = 0; i < 2 && names[i]; i++) {
    // Its own plug-ins look for its symbols among the program's.
    void *library = dlopen(names[i], RTLD_NOW | RTLD_GLOBAL);
    if (library) return library;
    if (i == 0) snprintf(detail, detail_size, "%s", dlerror());
  }
  return NULL;
}

/// How many processes share this machine's memory.
static int count_local(
  const lvae_mpi *mpi, handle no_info, int (*split)(handle, int, int, handle, handle *),
  int (*comm_size)(handle, int *), int (*comm_free)(handle *)
) {
  handle local = NULL;
  int size = 1;
  if (split(mpi->world, COMM_TYPE_SHARED, mpi->rank, no_info, &local)) return 1;
  comm_size(local, &size);
  comm_free(&local);
  return size;
}

lvae_mpi *lvae_mpi_open(
  const char *path, lvae_mpi_status *status, char *detail, size_t detail_size
) {
  *status = LVAE_MPI_NO_LIBRARY;
  void *library = load(path, detail, detail_size);
  if (!library) return NULL;
  lvae_mpi *mpi = calloc(1, sizeof *mpi);
  if (!mpi) return NULL;
  int (*init_thread)(int *, char ***, int, int *);
  int (*comm_rank)(handle, int *), (*comm_size)(handle, int *), (*comm_free)(handle *);
  int (*split)(handle, int, int, handle, handle *);
  handle no_info;
  const struct { const char *name; void *place; } symbols[] = {
    {"ompi_mpi_comm_world", &mpi->world},     {"ompi_mpi_float", &mpi->float32},
    {"ompi_mpi_double", &mpi->float64},       {"ompi_mpi_op_sum", &mpi->sum},
    {"ompi_mpi_info_null", &no_info},         {"MPI_Init_thread", &init_thread},
    {"MPI_Finalize", &mpi->finalize},         {"MPI_Abort", &mpi->abort},
    {"MPI_Comm_rank", &comm_rank},            {"MPI_Comm_size", &comm_size},
    {"MPI_Comm_split_type", &split},          {"MPI_Comm_free", &comm_free},
    {"MPI_Iallreduce", &mpi->start_sum},      {"MPI_Test", &mpi->test},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
    if (!find(library, symbols[i].name, symbols[i].place, detail, detail_size)) {
      *status = LVAE_MPI_OTHER_ABI;
      free(mpi);
      return NULL;
    }
  int provided = 0;
  int failure = init_thread(NULL, NULL, THREAD_FUNNELED, &provided);
  if (failure) {
    *status = LVAE_MPI_NOT_STARTED;
    snprintf(detail, detail_size, "error %d of MPI_Init_thread", failure);
    free(mpi);
    return NULL;
  }
  comm_rank(mpi->world, &mpi->rank);
  comm_size(mpi->world, &mpi->size);
  mpi->local_size = count_local(mpi, no_info, split, comm_size, comm_free);
  *status = LVAE_MPI_OPEN;
  return mpi;
}

int lvae_mpi_rank(const lvae_mpi *mpi) { return mpi->rank; }
int lvae_mpi_size(const lvae_mpi *mpi) { return mpi->size; }
int lvae_mpi_local_size(const lvae_mpi *mpi) { return mpi->local_size; }

int lvae_mpi_start_sum(lvae_mpi *mpi, float *values, int count, lvae_mpi_request *request) {
  return mpi->start_sum(IN_PLACE, values, count, mpi->float32, mpi->sum, mpi->world, request);
}

int lvae_mpi_start_sum_double(
  lvae_mpi *mpi, double *values, int count, lvae_mpi_request *request
) {
  return mpi->start_sum(IN_PLACE, values, count, mpi->float64, mpi->sum, mpi->world, request);
}

int lvae_mpi_is_done(lvae_mpi *mpi, lvae_mpi_request *request) {
  int done = 0;
  return mpi->test(request, &done, STATUS_IGNORE) ? -1 : done;
}

void lvae_mpi_abort(lvae_mpi *mpi, int status) { mpi->abort(mpi->world, status); }

void lvae_mpi_close(lvae_mpi *mpi) {
  mpi->finalize();
  free(mpi);
}
