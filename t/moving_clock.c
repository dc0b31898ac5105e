/* The wall clock of the programs that a test starts, loaded before libc (ld.so(8), LD_PRELOAD): their time is the machine's and
 * what stands in a file, which all of them have mapped. One store moves a whole server with its clients, forked workers among
 * them, in the same moment; and as nothing is opened or asked for once a process runs, it works behind seccomp and Landlock too.
 * The monotonic clock stays as it is: deadlines do not move with the calendar. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead; /* seconds */
static int (*machines)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
  machines = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *name = getenv("MOVING_CLOCK");
  const int fd = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
  void *const mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED || machines == NULL) {
    fprintf(stderr, "moving_clock: cannot read the file that MOVING_CLOCK names\n");
    _exit(99); /* a process that has another time than the rest would make the test say nothing */
  }
  ahead = mapped;
  close(fd);
}

int clock_gettime(clockid_t which, struct timespec *out) {
  if (machines == NULL) begin(); /* another library's constructor may ask first */
  const int result = machines(which, out);
  if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) out->tv_sec += *ahead;
  return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
