/* Faults for one program, by LD_PRELOAD: a full disk, read errors, and a clock that goes backwards.
 *
 *   FAULT=full:BYTES     writes fail with ENOSPC once so many bytes were written to files
 *   FAULT=short:N        each Nth read of a file gives half of what was asked, or 1 byte
 *   FAULT=eio:N          each Nth read of a file under $FAULT_BELOW fails with EIO
 *   FAULT=truncate:N     each Nth file under $FAULT_BELOW that is opened ends after half its bytes
 *   FAULT=clock          the time of day jumps by up to a day, mostly backwards, at each question
 *
 * Built and used by Scripts/faults.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *fault(const char *kind) {
  const char *text = getenv("FAULT");
  size_t length = strlen(kind);
  if (text == NULL || strncmp(text, kind, length) != 0) return NULL;
  return text[length] == ':' ? text + length + 1 : text[length] == 0 ? "" : NULL;
}

static int is_file(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

/* Whether an open file lies below the folder that faults are for. */
static int is_below(int descriptor) {
  const char *folder = getenv("FAULT_BELOW");
  char link[64], path[4096];
  if (folder == NULL) return is_file(descriptor);
  strcpy(link, "/proc/self/fd/");
  int digits = 0;
  for (int number = descriptor; number > 0; number /= 10) digits++;
  if (digits == 0) digits = 1;
  link[14 + digits] = 0;
  for (int number = descriptor; digits > 0; number /= 10) link[14 + --digits] = '0' + number % 10;
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, folder) != NULL && is_file(descriptor);
}

static int is_nth(const char *number) {
  static atomic_long count;
  long n = strtol(number, NULL, 10);
  return n > 0 && atomic_fetch_add(&count, 1) % n == n - 1;
}

/* How many bytes a write may still take: -1 for all. */
static ssize_t room(int descriptor, size_t count) {
  static atomic_long written;
  const char *limit = fault("full");
  if (limit == NULL || !is_file(descriptor)) return -1;
  long before = atomic_fetch_add(&written, (long)count);
  return before + (long)count > strtol(limit, NULL, 10) ? 0 : -1;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  if (room(descriptor, count) == 0) {
    errno = ENOSPC;
    return -1;
  }
  return REAL(write)(descriptor, bytes, count);
}

static size_t asked(int descriptor, size_t count) {
  const char *number = fault("short");
  if (number == NULL || count < 2 || !is_file(descriptor) || !is_nth(number)) return count;
  return count > 64 ? count / 2 : 1;
}

static int fails(int descriptor) {
  const char *number = fault("eio");
  return number != NULL && is_below(descriptor) && is_nth(number);
}

/* Where a file seems to end: -1 for its own end. */
static off_t end_of(int descriptor) {
  struct stat status;
  const char *number = fault("truncate");
  if (number == NULL || !is_below(descriptor)) return -1;
  if (fstat(descriptor, &status) != 0) return -1;
  /* The same files each time: those whose inode's number is a multiple. */
  long n = strtol(number, NULL, 10);
  return n > 0 && status.st_ino % n == 0 ? status.st_size / 2 : -1;
}

ssize_t read(int descriptor, void *bytes, size_t count) {
  if (fails(descriptor)) {
    errno = EIO;
    return -1;
  }
  off_t end = end_of(descriptor);
  if (end >= 0) {
    off_t place = lseek(descriptor, 0, SEEK_CUR);
    if (place >= end) return 0;
    if ((off_t)count > end - place) count = end - place;
  }
  return REAL(read)(descriptor, bytes, asked(descriptor, count));
}

static ssize_t pread_fault(int descriptor, void *bytes, size_t count, off_t place) {
  if (fails(descriptor)) {
    errno = EIO;
    return -1;
  }
  off_t end = end_of(descriptor);
  if (end >= 0) {
    if (place >= end) return 0;
    if ((off_t)count > end - place) count = end - place;
  }
  return REAL(pread)(descriptor, bytes, asked(descriptor, count), place);
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t place) {
  return pread_fault(descriptor, bytes, count, place);
}

ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t place) {
  return pread_fault(descriptor, bytes, count, place);
}

static long jump(void) {
  static atomic_ulong state = 88172645463325252ul;
  unsigned long value = atomic_load(&state);
  value ^= value << 13;
  value ^= value >> 7;
  value ^= value << 17;
  atomic_store(&state, value);
  return (long)(value % 90000) - 86400;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = REAL(clock_gettime)(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && fault("clock")) time->tv_sec += jump();
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  int result = REAL(gettimeofday)(time, zone);
  if (result == 0 && fault("clock")) time->tv_sec += jump();
  return result;
}

time_t time(time_t *place) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (place != NULL) *place = now.tv_sec;
  return now.tv_sec;
}
